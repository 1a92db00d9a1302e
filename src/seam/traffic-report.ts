/** The methods that are told apart. HTTP/2 lets any token through: all others are counted together. */
export const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'other',
] as const;
type Method = (typeof METHODS)[number];

/** A status below 100 or above 599: an upstream may invent any. */
export const OTHER_STATUS = 0;

/** The upper bounds of the buckets for durations; one more bucket takes all that is above. */
export const DURATION_BOUNDS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Why a request was sent away without an upstream having seen it: codes of proxy/answers/error-table.ts. */
export const SHED_REASONS = [
  'waiting_room_full',
  'wake_timeout',
  'control_away',
  'breaker_open',
  'no_upstream',
  'crash_loop',
  'draining',
  'forwarder_closed',
] as const;

/** What went wrong with an upstream; `upstream_aborted` where nobody knows more. */
export const UPSTREAM_ERRORS = [
  'upstream_refused',
  'connect_timeout',
  'upstream_reset',
  'upstream_bad_response',
  'upstream_timeout',
  'upstream_aborted',
] as const;

/** What is counted beside the requests themselves; `retry` for one that was sent a second time. */
export const INCIDENTS = ['retry', ...SHED_REASONS, ...UPSTREAM_ERRORS] as const;
export type Incident = (typeof INCIDENTS)[number];

/** Requests of one kind that have ended since the report before. */
export interface RequestCount {
  /** Empty for requests that belong to no service. */
  readonly service: string;
  readonly method: Method;
  readonly status: number;
  readonly count: number;
  /** The sum of the durations that are in the buckets. */
  readonly seconds: number;
  /** How many took so long, by bucket (not summed up). What was refused unseen is in none. */
  readonly buckets: readonly number[];
}

export interface IncidentCount {
  readonly service: string;
  readonly incident: Incident;
  readonly count: number;
}

/** What one data half has counted since the report before. */
export interface TrafficReport {
  readonly pid: number;
  /** How late its event loop was last. */
  readonly lagSeconds: number;
  readonly requests: readonly RequestCount[];
  readonly incidents: readonly IncidentCount[];
}

/** One report has at most so many of either; what is more comes in further ones. */
export const MAX_COUNTS = 2_000;
