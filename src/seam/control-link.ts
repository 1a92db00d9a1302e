import type { FleetUpdate } from './fleet-view.ts';

/** How long the parts of a wake took, in milliseconds; a part that did not happen is absent. */
export interface WakeTimings {
  readonly totalMs: number;
  readonly dependenciesMs?: number;
  readonly buildMs?: number;
  readonly startMs?: number;
  readonly readyMs?: number;
}

/** How busy one data half keeps one instance. */
export interface ActivityReport {
  readonly service: string;
  readonly instanceId: string;
  /** Requests, streams and WebSockets open now. */
  readonly inFlight: number;
  /** The fleet version that this data half had applied when it counted: a count older than a drain proves nothing. */
  readonly seenVersion: number;
}

/** A breaker of the data half that tripped or closed again. */
export interface BreakerReport {
  readonly service: string;
  readonly instanceId: string;
  readonly open: boolean;
}

/** The whole of what the data half may ask of the control half, and the other way round. */
export interface ControlLink {
  /** Snapshots down. The first update, a complete one, arrives during the call. Returns the way out. */
  subscribe(listener: (update: FleetUpdate) => void): () => void;
  /**
   * Wakes a service; many callers share one wake. Resolves when an instance is ready and the view shows it.
   * @throws WakeFailed with the reason and, while it backs off, when to come back.
   */
  wake(service: string): Promise<WakeTimings>;
  /** Tells that an instance that should be ready could not be reached; resolves when the view has been corrected. */
  suspect(service: string, instanceId: string): Promise<void>;
  /** Reported when an instance becomes busy or idle, soon after its count changed in between, and after each update that names its service. */
  reportActivity(report: ActivityReport): void;
  reportBreaker(report: BreakerReport): void;
}
