import type { SleepSpec, SleepTier } from '../../config/service-spec.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ActivityBoard } from '../activity-board.ts';
import type { Service } from '../service/service.ts';
import type { SleepVeto } from './sleep-veto.ts';

export interface IdleSleeperTools {
  readonly activity: ActivityBoard;
  readonly clock: Clock;
  readonly log: Logger;
  readonly veto: SleepVeto;
  /** Whether this process may put it to sleep. */
  readonly mayRest: (service: Service) => Promise<boolean>;
  /** The services that need this one. */
  readonly dependentsOf: (name: string) => readonly Service[];
}

/** What is to happen next to a service, and in how many milliseconds (0 or less: now). */
interface Step {
  readonly tier: SleepTier;
  readonly inMs: number;
}

/** A veto is asked again after this long at most. */
const ASK_AGAIN_MS = 30_000;

/** Puts services to sleep, tier by tier, when nothing of any kind is in flight. Monotonic time only. */
export class IdleSleeper {
  readonly #tools: IdleSleeperTools;
  readonly #timers = new Map<string, Timer>();
  #closed = false;

  constructor(tools: IdleSleeperTools) {
    this.#tools = tools;
  }

  /** Looks at a service whose state or spec changed, and sets its alarm. */
  consider(service: Service): void {
    this.forget(service.name);
    const step = this.#next(service);
    if (step) this.#alarm(service, step.inMs);
  }

  forget(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #alarm(service: Service, inMs: number): void {
    const ring = (): void => {
      this.#ring(service).catch((error: unknown) => {
        const message = `${service.name} could not be put to sleep: ${messageOf(error)}`;
        this.#tools.log.warn({ service: service.name, err: error }, message);
      });
    };
    // While a veto was asked for, a change may have set another alarm.
    this.forget(service.name);
    // Whole milliseconds: a sum of fractions may fall short of the instant it stands for.
    this.#timers.set(service.name, this.#tools.clock.after(Math.max(0, Math.ceil(inMs)), ring));
  }

  async #ring(service: Service): Promise<void> {
    this.#timers.delete(service.name);
    const step = this.#next(service);
    if (!step) return;
    if (step.inMs > 0) {
      this.#alarm(service, step.inMs);
    } else if (service.serving.length > 0 && (await this.#tools.veto.objects(service))) {
      this.#alarm(service, Math.min(step.tier.afterMs, ASK_AGAIN_MS));
    } else if (!(await this.#tools.mayRest(service))) {
      // Whoever may does; should that one end, we are asked to look again.
      this.#alarm(service, ASK_AGAIN_MS);
    } else {
      await this.#sleepIfStillDue(service);
      this.consider(service);
    }
  }

  async #sleepIfStillDue(service: Service): Promise<void> {
    const step = this.#next(service);
    if (step && step.inMs <= 0) await service.sleep('idle', step.tier.strategy);
  }

  #next(service: Service): Step | undefined {
    const { spec } = service;
    if (this.#closed || spec.sleep === false || spec.job) return undefined;
    return service.serving.length > 0
      ? this.#firstStep(service, spec.sleep)
      : deeperStep(service, spec.sleep, this.#tools.clock);
  }

  #firstStep(service: Service, { tiers }: SleepSpec): Step | undefined {
    const [tier] = tiers;
    if (service.serving.length <= service.spec.scale.min) return undefined;
    const idleSinceMs = this.#idleSince(service);
    const idleForMs = idleSinceMs === undefined ? 0 : this.#tools.clock.now() - idleSinceMs;
    return { tier, inMs: tier.afterMs - idleForMs };
  }

  /** Undefined while anything is in flight, or a service that needs this one is not asleep. */
  #idleSince(service: Service): number | undefined {
    const own = this.#tools.activity.idleSince(service.name);
    const needed = this.#tools.dependentsOf(service.name).map(({ asleepSinceMs }) => asleepSinceMs);
    if (own === undefined || needed.includes(undefined)) return undefined;
    return Math.max(own, ...needed.filter((since) => since !== undefined));
  }
}

const DEPTH = { pause: 1, stop: 2, remove: 3 } as const;

/** The next tier that is deeper than where its instances rest; each is counted from the one before. */
function deeperStep(service: Service, { tiers }: SleepSpec, clock: Clock): Step | undefined {
  const depths = service.instances.flatMap(({ state }) => {
    if (state.kind === 'paused') return [DEPTH.pause];
    return state.kind === 'stopped' || state.kind === 'failed' ? [DEPTH.stop] : [];
  });
  if (depths.length === 0 || service.asleepSinceMs === undefined) return undefined;
  const shallowest = Math.min(...depths);
  const next = tiers.findIndex(({ strategy }, index) => index > 0 && DEPTH[strategy] > shallowest);
  const tier = tiers[next];
  if (!tier) return undefined;
  const afterMs = tiers.slice(1, next + 1).reduce((sum, each) => sum + each.afterMs, 0);
  return { tier, inMs: afterMs - (clock.now() - service.asleepSinceMs) };
}
