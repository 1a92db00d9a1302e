/** What the data half is told about the fleet. Plain data: it must survive a socket. */

export const SERVICE_STATUSES = ['asleep', 'waking', 'awake', 'degraded', 'draining', 'failed', 'completed'] as const;
export type ServiceStatus = (typeof SERVICE_STATUSES)[number];

/**
 * Where bytes go: a literal address (a name only where the operator wrote one in `url`), or the path of a Unix socket,
 * known by its slash, with port 0.
 */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Spoken to over TLS; its certificate has to be for `host`. */
  readonly tls?: true;
}

/** One ready instance. `endpoints` maps each container port that a route names to where it is reached. */
export interface UpstreamView {
  readonly id: string;
  readonly endpoints: Readonly<Record<number, Endpoint>>;
}

/** `host` is lower case, with `*.` in front for a one-label wildcard; `path` starts and ends without surprises: '/' or '/api'. */
export interface RouteView {
  readonly host: string;
  readonly path: string;
  readonly port: number;
}

export type WakePhase = 'queued' | 'dependencies' | 'pull' | 'build' | 'start' | 'ready';

/** How far a wake has come, for the waiting page and the CLI. */
export interface WakeProgress {
  readonly phase: WakePhase;
  /** A line for people, such as "Step 3/7 : COPY . ." */
  readonly detail: string;
  /** 0 to 1 within the whole wake; a guess that never goes back. */
  readonly ratio: number;
  /** The wall clock when the wake began. */
  readonly startedAtEpochMs: number;
  /** The last lines that the build or the instance wrote, oldest first, at most 20. */
  readonly lines: readonly string[];
}

/** Why a service does not serve. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
  readonly logTail: readonly string[];
  readonly atEpochMs: number;
  /** While it backs off: no new try before this instant of the wall clock. */
  readonly retryAtEpochMs?: number;
}

export type BalancePolicy = 'least-in-flight' | 'round-robin' | 'random-two';

export interface ServiceView {
  readonly name: string;
  readonly status: ServiceStatus;
  readonly routes: readonly RouteView[];
  /** The instances that may be picked now. */
  readonly upstreams: readonly UpstreamView[];
  readonly protocol: 'http' | 'h2c';
  readonly balance: BalancePolicy;
  readonly sticky: boolean;
  readonly breaker: { readonly failures: number; readonly openForMs: number };
  readonly wake: {
    readonly timeoutMs: number;
    readonly maxWaiting: number;
    readonly page: 'auto' | false;
    readonly pageAfterMs: number;
  };
  readonly progress?: WakeProgress;
  readonly failure?: Failure;
}

/** A change of the fleet. `complete` replaces all that was known before; otherwise only what is named changes. */
export interface FleetUpdate {
  /** Grows by one with every update. */
  readonly version: number;
  readonly complete: boolean;
  readonly services: readonly ServiceView[];
  readonly removed: readonly string[];
}
