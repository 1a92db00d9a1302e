/**
 * What the operator writes in services-manifest.ts. Nothing here runs but one identity function, and nothing is imported
 * at run time: manifests load this file. Defaults are in brackets; parse-manifest.ts fills them in.
 */
import type { SettingsEnvironment } from './settings/settings-environment.ts';

/** A length of time with its unit: '800ms', '30s', '15m', '24h', '7d'. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A size as Docker writes it: '512m', '2g', or a number of bytes. */
export type Size = `${number}${'b' | 'k' | 'm' | 'g'}` | number;

/** A port, also as an environment variable has it: 3000 or '3000'. */
export type Port = number | `${number}` | (string & {});

/**
 * 'app' = that subdomain of DOMAIN · '@' = DOMAIN itself · 'api.example.com' (with a dot) = that host ·
 * '*.preview' = any one label below preview.DOMAIN
 */
export type RouteInput =
  | string
  | {
      readonly host: string;
      /** A prefix on the borders of segments, such as '/api/'; the longest wins. ['/'] */
      readonly path?: string;
      /** Another port of the container. [the service's port] */
      readonly port?: Port;
    };

export interface BuildInput {
  /** The folder that is sent to the builder, relative to the manifest. */
  readonly context: string;
  /** Relative to the context. ['Dockerfile'] */
  readonly dockerfile?: string;
  /** The stage to build. [the last one] */
  readonly target?: string;
  readonly args?: Readonly<Record<string, string | number | boolean>>;
}

export interface ProcessInput {
  /** The program and its arguments, or a line for /bin/sh. It gets its port as PORT. */
  readonly command: string | readonly string[];
  /** Relative to the manifest. [the manifest's folder] */
  readonly cwd?: string;
}

/** When an instance serves. [with routes: '/' answers below 500; without: the image's HEALTHCHECK, else TCP] */
export type ReadinessInput = {
  /** The time between two probes. [10 ms for 2 s, then slower up to 100 ms] */
  readonly interval?: Duration;
  /** Failed probes after which the start has failed. [only `wake.timeout` ends it] */
  readonly retries?: number;
} & (
  | { readonly http: string; readonly exec?: never; readonly docker?: never; readonly tcp?: never }
  | { readonly exec: readonly string[]; readonly http?: never; readonly docker?: never; readonly tcp?: never }
  | { readonly docker: true; readonly http?: never; readonly exec?: never; readonly tcp?: never }
  | { readonly tcp: true; readonly http?: never; readonly exec?: never; readonly docker?: never }
  | { readonly http?: never; readonly exec?: never; readonly docker?: never; readonly tcp?: never }
);

export interface SleepTierInput {
  /** How long nothing was in flight (in `then`: how long after the tier before). ['15m'] */
  readonly after?: Duration;
  /** ['stop'] */
  readonly strategy?: 'stop' | 'pause' | 'remove';
  /** A deeper tier: pause, then stop, then remove. */
  readonly then?: SleepTierInput & { readonly after: Duration; readonly strategy: 'stop' | 'remove' };
}

export interface SleepInput extends SleepTierInput {
  /** What keeps it awake although nothing is in flight. */
  readonly unless?: {
    /** Percent of its CPU limit. */
    readonly cpuAbove?: number;
    /** A path that an instance which does not want to sleep answers below 400. */
    readonly probe?: string;
  };
}

export interface WakeInput {
  /** How long a request waits until it is answered 504. ['60s'] */
  readonly timeout?: Duration;
  /** Requests that may wait at once; more are answered 503. [1000] */
  readonly maxWaiting?: number;
  /** 'auto': browsers see a waiting page; false: everybody waits for the answer. ['auto'] */
  readonly page?: 'auto' | false;
  /** How long a browser waits until it sees the page. ['800ms'] */
  readonly pageAfter?: Duration;
}

export interface ScaleInput {
  /** 1 or more starts at boot and never sleeps below. [0] */
  readonly min?: number;
  /** [1, or `min` when that is more] */
  readonly max?: number;
  /** Percent of the CPU limit above which an instance is added. */
  readonly cpu?: number;
  /** Requests in flight per instance above which one is added. */
  readonly inFlight?: number;
  /** The least time between two changes. ['60s'] */
  readonly cooldown?: Duration;
}

/** Percent of the limit. */
export interface ThresholdInput {
  readonly warn?: number;
  readonly panic?: number;
}

/** 'ready': it serves · 'started': it runs · 'completed': the job has ended with exit code 0 */
export type DependencyInput = 'ready' | 'started' | 'completed';

/** A string is a line for /bin/sh; a list is the program and its arguments. */
export type CommandInput = string | readonly string[];

/** Fields that make sense for whatever answers. */
export interface RoutedInput {
  /** Under which hosts it is reached. [none: an internal service] */
  readonly routes?: readonly RouteInput[];
  /** What is spoken to the upstream. ['http'] */
  readonly protocol?: 'http' | 'h2c';
  readonly readiness?: ReadinessInput;
  /** ['least-in-flight'] */
  readonly balance?: 'least-in-flight' | 'round-robin' | 'random-two';
  /** Keeps a client on its instance by a signed cookie. [false] */
  readonly sticky?: boolean;
  /** Per instance. [5 failures, open for '30s'] */
  readonly breaker?: { readonly failures?: number; readonly openFor?: Duration };
}

/** Fields of what Reveille runs itself. */
export interface RunInput extends RoutedInput {
  /** How it runs where no container engine is. */
  readonly process?: ProcessInput;
  /** What it listens on. [DOCKER_FILE_PORT] */
  readonly port?: Port;
  /** For what is not HTTP, as in Docker: '127.0.0.1:27017:27017'. */
  readonly publish?: readonly string[];
  readonly command?: CommandInput;
  readonly env?: Readonly<Record<string, string | number | boolean>>;
  /** Files of KEY=value lines, relative to the manifest; `env` wins. */
  readonly envFile?: string | readonly string[];
  /** As in Docker: 'data:/data/db', './src:/app/src:ro'; relative paths start at the manifest. */
  readonly volumes?: readonly string[];
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string | number | boolean>>;
  /** Limits; always set. [1 core, '512m'] */
  readonly resources?: { readonly cpus?: number; readonly memory?: Size };
  /** Woken first. In a list: 'ready', or 'completed' for a job. */
  readonly dependsOn?: readonly string[] | Readonly<Record<string, DependencyInput>>;
  /** A one-shot service (bootstrap, migration) that is done when it has ended. [false] */
  readonly job?: boolean;
  /** The name of a MongoDB replica set of which it is the only member: initiated, with a key and a user. [none] */
  readonly replicaSet?: string;
  /** false = never slept once awake. [stop after '15m'] */
  readonly sleep?: SleepInput | false;
  readonly wake?: WakeInput;
  readonly scale?: ScaleInput;
  /** Warnings of use, held for `for`. [every '1s', for '3s', cpu 60/80, memory 80/95] */
  readonly monitor?: {
    readonly every?: Duration;
    readonly for?: Duration;
    readonly cpu?: ThresholdInput;
    readonly memory?: ThresholdInput;
  };
}

/** Runs an image. */
export interface ImageServiceInput extends RunInput {
  readonly image: string;
  /** ['missing'] */
  readonly pull?: 'missing' | 'always' | 'never';
  readonly build?: never;
  readonly url?: never;
}

/** Builds its image when the context has changed. */
export interface BuildServiceInput extends RunInput {
  readonly build: BuildInput;
  readonly image?: never;
  readonly pull?: never;
  readonly url?: never;
}

/** Runs as a child process and nowhere else. */
export interface ProcessServiceInput extends RunInput {
  readonly process: ProcessInput;
  readonly image?: never;
  readonly pull?: never;
  readonly build?: never;
  readonly url?: never;
}

/**
 * Upstreams that somebody else runs: 'http://10.0.0.5:8080', or several. Routed, balanced, checked, never woken. The certificate of
 * an https:// one has to be for its name, and signed by an authority that Node knows or that is in NODE_EXTRA_CA_CERTS.
 */
export interface UrlServiceInput extends RoutedInput {
  readonly url: string | readonly string[];
  readonly image?: never;
  readonly build?: never;
}

export type ServiceInput = ImageServiceInput | BuildServiceInput | ProcessServiceInput | UrlServiceInput;

export interface ManifestInput {
  readonly services: Readonly<Record<string, ServiceInput>>;
}

/** `env` holds .env and the environment of the daemon, with the defaults of our own settings filled in. */
export interface ManifestInputContext {
  readonly env: SettingsEnvironment;
}

export type ManifestFunction = (context: ManifestInputContext) => ManifestInput | Promise<ManifestInput>;

/** Returns what it is given; it is there for the editor. Takes the manifest, or a function that makes it from `env`. */
export function defineManifest(manifest: ManifestInput | ManifestFunction): ManifestInput | ManifestFunction {
  return manifest;
}
