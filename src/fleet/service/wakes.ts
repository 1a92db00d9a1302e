import { SingleFlight } from '../../lib/single-flight.ts';
import type { WakeTimings } from '../../seam/control-link.ts';
import type { WakeProgress } from '../../seam/fleet-view.ts';
import { WakeFailed } from '../../seam/wake-failed.ts';
import type { StopReason, WakeReason } from '../events.ts';
import type { FailureHistory } from './failure-history.ts';
import { isResting } from '../instance/instance-state.ts';
import type { Instance } from '../instance/instance.ts';
import type { ServiceEvents } from './service-events.ts';
import type { ServiceTools } from './service-tools.ts';
import { Wake, type Wakeable } from './wake.ts';

/** Whose wakes they are, and who is told what comes of them. */
export interface WakesOwner extends Wakeable {
  readonly serving: readonly Instance[];
  readonly instances: readonly Instance[];
  changed(): number;
  /** Something that there is to be does not serve. */
  missing(): void;
  /** Nothing wakes any more: what was edited in the meantime has its turn. */
  settled(): void;
}

export interface WakesTools extends ServiceTools {
  readonly failures: FailureHistory;
  readonly events: ServiceEvents;
  readonly onProgress: () => void;
}

/** The wakes of one service: one at a time, however many ask for it. */
export class Wakes {
  readonly #service: WakesOwner;
  readonly #tools: WakesTools;
  readonly #flight = new SingleFlight<WakeTimings>();
  #current: Wake | undefined;

  constructor(service: WakesOwner, tools: WakesTools) {
    this.#service = service;
    this.#tools = tools;
  }

  get waking(): boolean {
    return this.#current !== undefined;
  }

  get progress(): WakeProgress | undefined {
    return this.#current?.progress;
  }

  /** What those are told who ask during the pause of a crash loop. Nobody has to wait for a wake that is under way. */
  pausing(): WakeFailed | undefined {
    return this.#flight.busy ? undefined : this.#tools.failures.pausing();
  }

  /**
   * Joins the wake that is under way, or begins one.
   * @param replace instances to be made anew from the newest spec
   * @throws WakeFailed
   */
  run(reason: WakeReason, replace: readonly Instance[] = []): Promise<WakeTimings> {
    return this.#flight.run(() => this.#wake(reason, replace));
  }

  cancel(reason: StopReason): void {
    this.#current?.cancel(reason);
  }

  /** Resolves, and never rejects, once nothing wakes. */
  ended(): Promise<void> {
    return this.#flight.ended();
  }

  /** Keeps and tells why it does not serve. */
  failed(error: unknown, wasServing: boolean): WakeFailed {
    const { failures, events, company } = this.#tools;
    const failure = failures.failed(error);
    const elsewhere = this.#service.instances.some((each) => each.startedElsewhere && each.state.kind === 'failed');
    if (failure.code !== 'start_cancelled' && !wasServing && company.tellsOfStart(!elsewhere)) events.failed(failure);
    return new WakeFailed(this.#service.name, failure, { cause: error });
  }

  async #wake(reason: WakeReason, replace: readonly Instance[]): Promise<WakeTimings> {
    const { failures, events, company, onProgress } = this.#tools;
    const wasServing = this.#service.serving.length > 0;
    const wake = new Wake(this.#service, onProgress, this.#tools);
    this.#current = wake;
    this.#service.changed();
    try {
      const timings = await wake.run(reason, replace);
      failures.served();
      void this.#tend(wake);
      void this.#flight.ended().then(() => this.#service.settled());
      const startedHere = this.#service.spec.job || this.#service.serving.some((each) => each.startedHere);
      if (!wasServing && company.tellsOfStart(startedHere)) events.awake(timings);
      return timings;
    } catch (error) {
      const failed = this.failed(error, wasServing);
      if (failed.code !== 'start_cancelled') this.#service.missing();
      throw failed;
    } finally {
      this.#current = undefined;
      this.#service.changed();
    }
  }

  /** A wake is over with the first that is ready. This looks after the others: some may have failed, or be wanted only since. */
  async #tend(wake: Wake): Promise<void> {
    const [error] = await wake.failures();
    this.#service.settled();
    const failed = error === undefined ? undefined : this.failed(error, true);
    if (failed?.code === 'start_cancelled') return;
    if (!failed && this.#service.wanted.every(({ state }) => !isResting(state))) return;
    this.#service.changed();
    this.#service.missing();
  }
}
