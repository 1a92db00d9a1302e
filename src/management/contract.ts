/** What the API answers, as its clients see it: the CLI, the dashboard, scripts. Times are ISO 8601, lengths are milliseconds. */
import type { ServiceStatus, WakePhase } from '../seam/fleet-view.ts';

export interface InstanceAnswer {
  readonly id: string;
  readonly state: string;
  readonly since: string;
  /** host:port, while it serves. */
  readonly upstream?: string;
  /** Of its limit: 1 = all of `resources.cpus`. Null while it does not run, or nothing can be read. */
  readonly cpuRatio: number | null;
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number | null;
}

/** What one instance used at one moment. */
export interface SampleAnswer {
  readonly instance: string;
  readonly at: string;
  readonly cpuRatio: number | null;
  readonly memoryBytes: number | null;
  /** Null in what only the store remembers. */
  readonly memoryLimitBytes: number | null;
  readonly inFlight: number;
}

/** The last minutes, or since when was asked for; the oldest first. */
export interface SamplesAnswer {
  readonly service: string;
  readonly samples: readonly SampleAnswer[];
}

/** A client that keeps to one instance of a sticky service. */
export interface SessionAnswer {
  readonly id: string;
  readonly service: string;
  readonly instance: string;
  /** Which client it may be: the network it comes from, and what it calls itself first. */
  readonly client: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
}

export interface SessionsAnswer {
  /** The last seen first. */
  readonly sessions: readonly SessionAnswer[];
  /** How many each instance has, of the service that was asked for; of all services otherwise. */
  readonly perInstance: Readonly<Record<string, number>>;
}

export interface FailureAnswer {
  readonly code: string;
  readonly detail: string;
  /** What the build or the instance wrote last, oldest first. */
  readonly logTail: readonly string[];
  readonly at: string;
  /** While it backs off: no new try before. */
  readonly retryAt?: string;
}

export interface ProgressAnswer {
  readonly phase: WakePhase;
  readonly detail: string;
  /** 0 to 1; a guess that never goes back. */
  readonly ratio: number;
  readonly startedAt: string;
}

interface Replicas {
  readonly desired: number;
  readonly ready: number;
}

export interface ServiceAnswer {
  readonly name: string;
  readonly status: ServiceStatus;
  /** The URLs under which it is reached; a wildcard route keeps its star. */
  readonly routes: readonly string[];
  readonly replicas: Replicas;
  readonly instances: readonly InstanceAnswer[];
  /** Requests, streams and WebSockets open now. */
  readonly inFlight: number;
  readonly source: 'build' | 'image' | 'url' | 'process';
  /** What runs it; `external` for what somebody else runs. */
  readonly runtime: 'docker' | 'process' | 'external';
  readonly job: boolean;
  readonly scale: { readonly min: number; readonly max: number };
  /** From shallow to deep; false = never. */
  readonly sleep: readonly { readonly afterMs: number; readonly strategy: 'stop' | 'pause' | 'remove' }[] | false;
  readonly dependsOn: readonly string[];
  readonly progress?: ProgressAnswer;
  readonly failure?: FailureAnswer;
}

/** A part of a list: ask again with `cursor` = `nextCursor` for the rest. `total` counts all that match. */
interface Listing {
  readonly total: number;
  readonly nextCursor?: string;
}

export interface ServicesAnswer extends Listing {
  readonly services: readonly ServiceAnswer[];
}

export interface InstancesAnswer extends Listing {
  readonly instances: readonly (InstanceAnswer & { readonly service: string })[];
}

/** What every action on a service answers. */
export interface ActionAnswer {
  readonly service: string;
  readonly status: ServiceStatus;
  readonly replicas: Replicas;
}

/** `timings` are absent when the answer did not wait for the wake. */
export interface WakeAnswer extends ActionAnswer {
  readonly timings?: {
    readonly totalMs: number;
    readonly dependenciesMs?: number;
    readonly buildMs?: number;
    readonly startMs?: number;
    readonly readyMs?: number;
  };
}

export interface SleepAnswer extends ActionAnswer {
  /** False when something turned out to be busy and stays. */
  readonly asleep: boolean;
}

/** Open to everybody: names no service and holds nothing that must stay inside. Who has shown the token hears why an edit is refused. */
export interface HealthAnswer {
  readonly status: 'ok' | 'degraded';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly runtime: {
    readonly kind: 'docker' | 'process';
    readonly up: boolean;
    readonly reason?: string;
    /** Why another runtime than the wanted one is used. */
    readonly fallback?: string;
  };
  readonly store: { readonly kind: 'embedded' | 'mongo'; readonly up: boolean; readonly reason?: string };
  readonly mqtt: {
    readonly kind: 'embedded' | 'external';
    readonly connected: boolean;
    readonly reason?: string;
    /** Messages that were given up since the start. */
    readonly dropped: number;
  };
  readonly services: Readonly<Record<ServiceStatus, number>>;
  /** How many proxy processes are there; absent where the daemon is one process. */
  readonly proxies?: number;
  /** What degrades it, for people. */
  readonly problems: readonly string[];
}

/** One message of `GET /api/events`; the id of the message is `id`. */
export interface EventAnswer {
  readonly id: string;
  readonly type: string;
  /** `proxy` for what concerns the daemon itself. */
  readonly service: string;
  readonly instance?: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One message of `GET /api/services/:name/logs`. */
export interface LogAnswer {
  readonly instance: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  readonly at: string;
}

/** RFC 9457. */
export interface ProblemAnswer {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable, for machines. */
  readonly code: string;
  readonly requestId: string;
  readonly service?: string;
  readonly logTail?: readonly string[];
  /** Of a request that was not understood: each field that is wrong. */
  readonly problems?: readonly { readonly field: string; readonly message: string }[];
}
