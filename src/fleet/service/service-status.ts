import type { Failure, ServiceStatus } from '../../seam/fleet-view.ts';
import type { InstanceState } from '../instance/instance-state.ts';

export interface StatusInput {
  readonly states: readonly InstanceState[];
  /** How many instances should be ready while it is awake. */
  readonly desired: number;
  readonly waking: boolean;
  readonly failure: Failure | undefined;
}

/** A service's status is always derived from its instances, never stored. */
export function statusOf({ states, desired, waking, failure }: StatusInput): ServiceStatus {
  const count = (...kinds: InstanceState['kind'][]): number => states.filter(({ kind }) => kinds.includes(kind)).length;
  if (count('completed') > 0 && !waking) return 'completed';
  if (count('ready', 'unhealthy') > 0) {
    const starting = waking || count('starting', 'probing') > 0;
    // Those that leave do so because somebody wants it: they are not missed.
    const missing = count('ready', 'draining', 'stopping') < desired && !starting;
    return count('unhealthy') > 0 || missing ? 'degraded' : 'awake';
  }
  if (waking || count('starting', 'probing') > 0) return 'waking';
  if (count('draining', 'stopping') > 0) return 'draining';
  return failure ? 'failed' : 'asleep';
}
