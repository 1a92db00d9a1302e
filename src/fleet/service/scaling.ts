import type { ServiceSpec } from '../../config/service-spec.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { DesiredReplicas } from './desired-replicas.ts';
import type { ScaleReason } from '../events.ts';
import { isServing } from '../instance/instance-state.ts';
import type { Instances } from './instances.ts';
import type { ServiceEvents } from './service-events.ts';
import type { Wakes } from './wakes.ts';

export interface ScalingTools {
  readonly desired: DesiredReplicas;
  readonly instances: Instances;
  readonly wakes: Wakes;
  readonly events: ServiceEvents;
  /** How long one that is too many may take to drain. */
  readonly drainTimeoutMs: () => number;
  /** Another number is desired. */
  readonly changed: () => void;
}

/** Brings a service to another number of instances: who wants it, who comes and who leaves. */
export class Scaling {
  readonly #tools: ScalingTools;

  constructor(tools: ScalingTools) {
    this.#tools = tools;
  }

  /** An operator wants so many, one at least. */
  async ask(replicas: number): Promise<void> {
    const { desired, instances, wakes, events, changed } = this.#tools;
    const before = desired.value;
    desired.ask(replicas);
    // More are told of with the wake that brings them: until then it would look as if some were missing.
    if (replicas < before || wakes.waking) changed();
    events.scaled(before, replicas, 'operator');
    await Promise.all(instances.beyond(replicas).map((instance) => instance.sleep('stop', 'operator')));
    await wakes.run('operator');
  }

  /**
   * The load wants so many. One that should leave but is still needed when the time for draining is over stays.
   * @param why what the event tells beside the numbers
   */
  async adapt(replicas: number, reason: ScaleReason, why: Record<string, unknown>): Promise<void> {
    const { desired, instances, wakes, events, changed } = this.#tools;
    const before = desired.value;
    // Nobody leaves before those who are to stay serve; the next look takes away who is too many then.
    const fills = replicas > before || instances.first(replicas).some(({ state }) => !isServing(state));
    if (fills) desired.set(Math.max(replicas, before));
    else if (!(await this.#reduce(replicas))) return;
    if (!fills || wakes.waking) changed();
    events.scaled(before, desired.value, reason, why);
    if (fills) await wakes.run('scale');
  }

  /** Those that went to rest while others stay are not missed, and are not brought back. */
  shrink(): void {
    const { desired, instances, events } = this.#tools;
    const before = desired.value;
    desired.set(Math.min(instances.serving.length, before));
    events.scaled(before, desired.value, 'idle');
  }

  /** The manifest has other limits. Whoever is beyond them is removed. */
  async fit(limits: ServiceSpec['scale']): Promise<void> {
    const { desired, instances, changed } = this.#tools;
    desired.fit(limits);
    changed();
    await Promise.all(instances.beyond(limits.max).map((instance) => instance.sleep('remove', 'replaced')));
  }

  /** @returns false when an operator has asked for another number in the meantime, who is right */
  async #reduce(replicas: number): Promise<boolean> {
    const { desired, instances, drainTimeoutMs, changed } = this.#tools;
    const before = desired.value;
    desired.set(replicas);
    changed();
    const patienceMs = drainTimeoutMs();
    await Promise.all(instances.beyond(replicas).map((instance) => instance.sleep('stop', 'idle', patienceMs)));
    if (desired.value !== replicas) return false;
    desired.set(Math.min(Math.max(instances.serving.length, replicas), before));
    return true;
  }
}

/** @throws CodedError `scale_out_of_range`, for a number that the manifest does not allow */
export function checkScale({ name, scale: { min, max } }: ServiceSpec, replicas: number): void {
  if (Number.isInteger(replicas) && replicas >= min && replicas <= max) return;
  const message = `${name} can have ${min} to ${max} instances (scale.min, scale.max), not ${replicas}`;
  throw new CodedError('scale_out_of_range', message);
}
