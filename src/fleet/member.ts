import type { ServiceSpec } from '../config/service-spec.ts';
import type { WakeTimings } from '../seam/control-link.ts';
import type { Failure, ServiceStatus, ServiceView } from '../seam/fleet-view.ts';
import type { WakeReason } from './events.ts';

/** One instance as operators see it. */
export interface InstanceView {
  readonly id: string;
  readonly state: string;
  /** Wall clock, milliseconds. */
  readonly since: number;
  /** host:port, while it serves. */
  readonly upstream?: string;
}

/** What the fleet is made of: services that we run, and services that others run. */
export interface Member {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly status: ServiceStatus;
  /** How many instances there are to be while it is awake. */
  readonly desired: number;
  readonly failure: Failure | undefined;
  readonly instanceViews: readonly InstanceView[];
  view(): ServiceView;
  wake(reason: WakeReason): Promise<WakeTimings>;
  /** An instance could not be reached: see whether it is still what the view says. */
  verify(instanceId: string): Promise<void>;
  update(spec: ServiceSpec): Promise<void>;
  /** It has left the manifest. */
  dispose(): Promise<void>;
  close(): void;
}

export function replicasOf({ desired, instanceViews }: Member): { desired: number; ready: number } {
  return { desired, ready: instanceViews.filter(({ state }) => state === 'ready').length };
}

/** Who wants to hear of every change of the fleet, after the data half has. Must not throw, must not wait. */
export interface MemberObserver {
  changed(member: Member): void;
  removed(name: string): void;
}
