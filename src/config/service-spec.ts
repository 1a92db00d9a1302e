/** A service as the manifest means it: every default filled in, every unit converted, frozen. */

interface RouteSpec {
  /** Lower case host name; '*.' in front for one label. */
  readonly host: string;
  /** '/' or a prefix without a slash at its end, such as '/api'. */
  readonly path: string;
  /** The container port behind this route. */
  readonly port: number;
}

export interface BuildSource {
  readonly kind: 'build';
  /** Absolute. */
  readonly context: string;
  /** Relative to the context. */
  readonly dockerfile: string;
  readonly target?: string;
  readonly args: Readonly<Record<string, string>>;
}

export interface ImageSource {
  readonly kind: 'image';
  readonly image: string;
  readonly pull: 'missing' | 'always' | 'never';
}

/** Upstreams that somebody else runs. */
interface UrlSource {
  readonly kind: 'url';
  readonly urls: readonly string[];
}

/** A service that only has `process` and can run nowhere else. */
interface ProcessSource {
  readonly kind: 'process';
}

interface ProcessSpec {
  readonly command: readonly string[];
  /** Absolute. */
  readonly cwd: string;
}

export interface PublishSpec {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
}

export interface VolumeSpec {
  /** An absolute path of the host, or the name of a volume. */
  readonly source: string;
  readonly kind: 'bind' | 'volume';
  readonly target: string;
  readonly readOnly: boolean;
}

export type ReadinessStrategy =
  | { readonly kind: 'http'; readonly path: string }
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  | { readonly kind: 'docker' }
  | { readonly kind: 'tcp' }
  /** Nothing was said: HTTP with routes, else the image's HEALTHCHECK, else TCP. */
  | { readonly kind: 'auto' };

export interface ReadinessSpec {
  readonly strategy: ReadinessStrategy;
  /** Milliseconds between probes; absent = 10 ms for 2 s, then slower up to 100 ms. */
  readonly intervalMs?: number;
  /** Failed probes after which the start counts as failed; absent = only the wake timeout ends it. */
  readonly retries?: number;
}

export type DependencyCondition = 'ready' | 'started' | 'completed';

export interface SleepTier {
  readonly afterMs: number;
  readonly strategy: 'stop' | 'pause' | 'remove';
}

export interface SleepSpec {
  /** From shallow to deep: the first is entered when idle, each next one counted from the one before. */
  readonly tiers: readonly [SleepTier, ...SleepTier[]];
  readonly unless: {
    /** Percent of the CPU limit above which the service counts as busy. */
    readonly cpuAbove?: number;
    /** A path answered below 400 by an instance that does not want to sleep. */
    readonly probe?: string;
  };
}

interface WakeSpec {
  readonly timeoutMs: number;
  readonly maxWaiting: number;
  readonly page: 'auto' | false;
  readonly pageAfterMs: number;
}

export interface ScaleSpec {
  readonly min: number;
  readonly max: number;
  readonly cpu?: number;
  readonly inFlight?: number;
  readonly cooldownMs: number;
}

export interface ThresholdSpec {
  readonly warn: number;
  readonly panic: number;
}

export interface MonitorSpec {
  readonly everyMs: number;
  readonly forMs: number;
  readonly cpu: ThresholdSpec;
  readonly memory: ThresholdSpec;
}

export interface ServiceSpec {
  readonly name: string;
  readonly routes: readonly RouteSpec[];
  readonly source: BuildSource | ImageSource | UrlSource | ProcessSource;
  readonly process?: ProcessSpec;
  readonly port: number;
  readonly publish: readonly PublishSpec[];
  readonly command?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly volumes: readonly VolumeSpec[];
  readonly user?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly protocol: 'http' | 'h2c';
  /** cpus: how many cores, may be a fraction. */
  readonly resources: { readonly cpus: number; readonly memoryBytes: number };
  readonly readiness: ReadinessSpec;
  readonly dependsOn: Readonly<Record<string, DependencyCondition>>;
  readonly job: boolean;
  /** The name of the MongoDB replica set whose only member it is. */
  readonly replicaSet?: string;
  readonly sleep: SleepSpec | false;
  readonly wake: WakeSpec;
  readonly scale: ScaleSpec;
  readonly balance: 'least-in-flight' | 'round-robin' | 'random-two';
  readonly sticky: boolean;
  readonly breaker: { readonly failures: number; readonly openForMs: number };
  readonly monitor: MonitorSpec;
}

/** All services by name; iteration follows the file. */
export type Manifest = ReadonlyMap<string, ServiceSpec>;

/** Every container port that bytes may be sent to. */
export function portsOf(spec: ServiceSpec): number[] {
  return [...new Set([spec.port, ...spec.routes.map((route) => route.port)])];
}
