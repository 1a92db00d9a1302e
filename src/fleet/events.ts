/** Facts about the fleet, in the past tense; the names and the meaning of `data` are in the contract with users. */

export type EventType =
  | 'wake.requested'
  | 'build.started'
  | 'build.finished'
  | 'build.failed'
  | 'instance.starting'
  | 'instance.ready'
  | 'instance.unhealthy'
  | 'instance.died'
  | 'instance.oom'
  | 'instance.stopped'
  | 'service.awake'
  | 'service.asleep'
  | 'service.failed'
  | 'cpu.warn'
  | 'cpu.panic'
  | 'cpu.recovered'
  | 'memory.warn'
  | 'memory.panic'
  | 'memory.recovered'
  | 'scale.up'
  | 'scale.down'
  | 'breaker.opened'
  | 'breaker.closed'
  | 'manifest.applied'
  | 'manifest.refused';

export type StopReason = 'idle' | 'operator' | 'replaced' | 'error' | 'resource_limit' | 'shutdown';

/** Who wanted a service to wake. */
export type WakeReason = 'request' | 'operator' | 'dependency' | 'boot' | 'heal' | 'replace' | 'scale';

/** Why a service has more or fewer instances than before. */
export type ScaleReason = 'operator' | 'idle' | 'cpu' | 'in_flight' | 'low_load';

export interface FleetEvent {
  /** Unique and growing within one daemon. */
  readonly id: string;
  readonly type: EventType;
  /** The service, or `proxy` for what concerns the daemon itself. */
  readonly service: string;
  readonly instanceId?: string;
  readonly atEpochMs: number;
  /** Plain data that survives JSON. Never a secret. */
  readonly data: Readonly<Record<string, unknown>>;
}
