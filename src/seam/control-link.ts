import type { FleetUpdate } from './fleet-view.ts';
import type { TrafficReport } from './traffic-report.ts';

/** How long the parts of a wake took, in milliseconds; a part that did not happen is absent. */
export interface WakeTimings {
  readonly totalMs: number;
  readonly dependenciesMs?: number;
  readonly buildMs?: number;
  readonly startMs?: number;
  readonly readyMs?: number;
  /** How long the wake had to wait for the control process to come back. */
  readonly controlMs?: number;
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

/** What a data half learnt about an instance from a request. `recovered` = the probe of a half-open breaker was served. */
export type Verdict = 'failed' | 'served' | 'recovered';

export interface VerdictReport {
  readonly service: string;
  readonly instanceId: string;
  readonly verdict: Verdict;
}

/** A client that keeps to one instance, as it was seen last. */
export interface SessionReport {
  readonly id: string;
  readonly service: string;
  readonly instanceId: string;
  /** Tells people which client it may be; never enough to be it. */
  readonly clientHint: string;
  readonly seenAtEpochMs: number;
}

/** How many requests wait for a service to wake. */
export interface WaitingReport {
  readonly service: string;
  readonly waiting: number;
}

/**
 * What the other data halves know, so that limits hold for all of them together: a verdict of theirs counts as one's
 * own, and `waiting` is the sum over the others.
 */
export type PeerNews = ({ readonly kind: 'verdict' } & VerdictReport) | ({ readonly kind: 'waiting' } & WaitingReport);

/** The whole of what the data half may ask of the control half, and the other way round. */
export interface ControlLink {
  /** Nobody is there who could wake a service: wakes wait, and whatever else is asked gives up at once. */
  readonly away: boolean;
  /** Resolves when somebody is there, or when it takes too long for a request to wait. */
  untilBack(): Promise<void>;
  /** Snapshots down. The first update, a complete one, arrives during the call. Returns the way out. */
  subscribe(listener: (update: FleetUpdate) => void): () => void;
  /**
   * Wakes a service; many callers share one wake. Resolves when an instance is ready and the view shows it.
   * @throws WakeFailed with the reason and, while it backs off, when to come back.
   */
  wake(service: string): Promise<WakeTimings>;
  /** Tells that an instance that should be ready could not be reached; resolves when the view has been corrected. */
  suspect(service: string, instanceId: string): Promise<void>;
  /**
   * Reported soon after the count of an instance changed, and after each update that names its service. What was busy
   * in between and is idle again is reported as both, one after the other.
   */
  reportActivity(reports: readonly ActivityReport[]): void;
  /** Everything up to this version is applied, and what it changed has been reported. */
  reportSeen(version: number): void;
  reportBreaker(report: BreakerReport): void;
  reportVerdict(report: VerdictReport): void;
  reportWaiting(report: WaitingReport): void;
  reportSessions(reports: readonly SessionReport[]): void;
  /** Resolves once it is counted, which may be long after nobody was there; it is counted once. Never rejects. */
  reportTraffic(report: TrafficReport): Promise<void>;
  /** Returns the way out. */
  onPeerNews(listener: (news: PeerNews) => void): () => void;
}

/** The link of one data half among several. Once closed, its counts are gone with it. */
export interface ControlConnection extends ControlLink {
  close(): void;
}
