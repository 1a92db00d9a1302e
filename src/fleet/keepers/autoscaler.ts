import type { Clock, Timer } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import {
  decideScale,
  followTrend,
  isAutoscaled,
  needOf,
  type InstanceLoad,
  type ScaleDecision,
  type ScaleNeed,
  type ScaleTrend,
} from './scale-decision.ts';
import type { Service } from '../service/service.ts';

export interface AutoscalerTools {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether this process decides about it. */
  readonly mayLook: (service: Service) => boolean;
  /** The same, asked anew. */
  readonly mayScale: (service: Service) => Promise<boolean>;
  readonly loadOf: (service: string, instanceId: string) => InstanceLoad;
}

interface Scaled {
  timer: Timer | undefined;
  trend: ScaleTrend;
  /** How many there were to be at the last look, so that a change by an operator counts as one too. */
  desired: number;
  /** Monotonic. */
  changedAtMs: number | undefined;
  /** A change is under way. */
  busy: boolean;
}

/** Readings come about once a second. */
const LOOK_EVERY_MS = 1_000;

/** Adds and takes away instances as the load asks, where the manifest says so (`scale.cpu`, `scale.inFlight`). */
export class Autoscaler {
  readonly #tools: AutoscalerTools;
  readonly #scaled = new Map<string, Scaled>();
  #closed = false;

  constructor(tools: AutoscalerTools) {
    this.#tools = tools;
  }

  /** Begins to look at a service that serves; the looking ends by itself when it does not any more. */
  consider(service: Service): void {
    if (this.#closed || !mayBeScaled(service)) return;
    const scaled = this.#scaled.get(service.name) ?? this.#begin(service);
    if (!scaled.timer) this.#lookLater(service, scaled);
  }

  forget(name: string): void {
    this.#scaled.get(name)?.timer?.cancel();
    this.#scaled.delete(name);
  }

  close(): void {
    this.#closed = true;
    for (const name of [...this.#scaled.keys()]) this.forget(name);
  }

  #begin({ name, desired }: Service): Scaled {
    const scaled: Scaled = { timer: undefined, trend: {}, desired, changedAtMs: undefined, busy: false };
    this.#scaled.set(name, scaled);
    return scaled;
  }

  #lookLater(service: Service, scaled: Scaled): void {
    scaled.timer = this.#tools.clock.after(LOOK_EVERY_MS, () => {
      scaled.timer = undefined;
      if (!mayBeScaled(service)) {
        this.forget(service.name);
        return;
      }
      this.#look(service, scaled);
      this.#lookLater(service, scaled);
    });
  }

  #look(service: Service, scaled: Scaled): void {
    const nowMs = this.#tools.clock.now();
    const { spec, desired, serving: ready } = service;
    if (desired !== scaled.desired) Object.assign(scaled, { desired, changedAtMs: nowMs, trend: {} });
    // Those that are on their way take a part of the load soon: what there is now says little.
    if (scaled.busy || ready.length < desired || !this.#tools.mayLook(service)) return;
    const need = needOf(
      spec.scale,
      ready.map(({ id }) => this.#tools.loadOf(service.name, id)),
    );
    const situation = { scale: spec.scale, replicas: ready.length, need, trend: scaled.trend, nowMs };
    scaled.trend = followTrend(situation);
    const { trend, changedAtMs } = scaled;
    const decision = decideScale({ ...situation, trend, changedAtMs, holdMs: spec.monitor.forMs });
    if (decision) void this.#apply(service, scaled, { decision, need, ready: ready.length });
  }

  async #apply(
    service: Service,
    scaled: Scaled,
    { decision, need, ready }: { decision: ScaleDecision; need: ScaleNeed; ready: number },
  ): Promise<void> {
    const { name } = service;
    const { replicas, reason } = decision;
    scaled.busy = true;
    scaled.trend = {};
    try {
      if (!(await this.#tools.mayScale(service))) return;
      await service.autoscale(replicas, reason, { detail: explain(service, decision, need, ready) });
    } catch (error) {
      this.#tools.log.warn({ service: name, err: error }, `${name} could not be scaled: ${messageOf(error)}`);
    } finally {
      Object.assign(scaled, { busy: false, desired: service.desired, changedAtMs: this.#tools.clock.now(), trend: {} });
    }
  }
}

function mayBeScaled({ spec, serving }: Service): boolean {
  return isAutoscaled(spec) && serving.length > 0;
}

function explain({ name, spec }: Service, { replicas, reason }: ScaleDecision, need: ScaleNeed, ready: number): string {
  const { cpu = 0, inFlight = 0 } = spec.scale;
  const percent = Math.round((need.atLeast * cpu) / ready);
  const each = Math.round((need.atLeast * inFlight * 10) / ready) / 10;
  if (reason === 'cpu')
    return `${name} goes to ${replicas}: ${ready} at ${percent} % of their CPU limit, target ${cpu} %`;
  if (reason === 'in_flight') return `${name} goes to ${replicas}: ${each} requests in flight each, target ${inFlight}`;
  return `${name} goes to ${replicas}: that is enough for its load`;
}
