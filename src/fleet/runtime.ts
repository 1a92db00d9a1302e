import type { ServiceSpec } from '../config/service-spec.ts';
import type { Endpoint } from '../seam/fleet-view.ts';

/** The n-th copy of a service; n counts from 1 and is used again once it is free. */
export interface InstanceKey {
  readonly service: string;
  readonly index: number;
}

/** `backend-1`: how an instance is named everywhere outside the runtime. */
export function instanceId({ service, index }: InstanceKey): string {
  return `${service}-${index}`;
}

export interface Exit {
  readonly code: number;
  readonly oomKilled: boolean;
  /** There is nothing of it any more that could tell how it ended. */
  readonly removed?: boolean;
}

/** What a runtime sees of one instance at one moment. */
export interface ObservedInstance {
  readonly key: InstanceKey;
  /** The runtime's own handle (a container id, a process group); another one after each `create`. */
  readonly runtimeId: string;
  /** Whether it was made from the same configuration as the spec it is compared with; see `configHash`. */
  readonly configHash: string;
  /** The image (or the command) it was made from; see `Prepared`. */
  readonly imageId: string;
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  /** By container port; empty unless running or paused. */
  readonly endpoints: Readonly<Record<number, Endpoint>>;
  /** How long it has been up, in milliseconds; present while running or paused. */
  readonly upMs?: number;
  /** Present when exited. */
  readonly exit?: Exit;
  /** The image's HEALTHCHECK as an argument list for `exec`, if it has one. */
  readonly healthCommand?: readonly string[];
}

export interface PrepareProgress {
  readonly phase: 'pull' | 'build';
  /** One line for people. */
  readonly detail: string;
  /** 0 to 1 of this phase, when it can be told. */
  readonly ratio?: number;
}

export interface PrepareOptions {
  onProgress(progress: PrepareProgress): void;
  readonly signal: AbortSignal;
  /** Whether `create` follows, most probably: then what that will ask may be asked meanwhile. [true] */
  readonly creates?: boolean;
}

/** What `create` makes an instance from. */
export interface Prepared {
  /** The identity of the image (or of the command); an instance made from another one is replaced by `create`. */
  readonly imageId: string;
  /** True when something was built or pulled just now. */
  readonly fresh: boolean;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  /** Wall clock in milliseconds since 1970. */
  readonly atEpochMs: number;
}

export interface LogOptions {
  /** How many of the last lines come first. */
  readonly tail: number;
  /** Go on with new lines until the signal aborts or the instance is removed. */
  readonly follow: boolean;
  /** Nothing that it wrote before it was started last; a pause is no end. [false] */
  readonly latestRun?: boolean;
  readonly signal?: AbortSignal;
}

/** One reading of a running instance; null where the runtime cannot tell (yet). */
export interface Usage {
  /** Of the limit: 1 = all that `resources.cpus` allows. */
  readonly cpuRatio: number | null;
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number;
}

/** Whether the runtime can be asked anything. */
export type RuntimeCondition =
  { readonly up: true } | { readonly up: false; readonly code: string; readonly reason: string };

/** One that runs since `startInstance`. */
export interface StartedInstance extends ObservedInstance {
  /** Whether it was this call that made it run; false when it ran already, or somebody else was faster. */
  readonly startedNow: boolean;
}

/**
 * What happened below, as a hint: whoever hears it inspects before acting.
 * `oom` and `health` carry what an inspection would not show.
 */
export type RuntimeEvent =
  /** @param began it has been started or goes on after a pause: whoever starts it knows */
  | { readonly type: 'changed'; readonly key: InstanceKey; readonly runtimeId: string; readonly began?: true }
  /** It lost an address, which a runtime may tell of without knowing whose it is. */
  | { readonly type: 'unplugged'; readonly runtimeId: string }
  | { readonly type: 'oom'; readonly key: InstanceKey; readonly runtimeId: string }
  | { readonly type: 'health'; readonly key: InstanceKey; readonly runtimeId: string; readonly healthy: boolean }
  | { readonly type: 'condition'; readonly condition: RuntimeCondition };

/**
 * Runs instances. Drivers: Docker containers, child processes; the fake of the unit tests passes the same suite.
 *
 * Every method that cannot reach the runtime rejects with `RuntimeUnavailable`; one that fails for a service rejects
 * with a `RuntimeError` whose code is one of those in errors.ts. Acting on an instance that is already where it should be is no error.
 * Only instances of this project are ever listed, changed or removed.
 */
export interface Runtime {
  readonly kind: 'docker' | 'process';
  readonly condition: RuntimeCondition;
  /** Connects and begins to report events; resolves after the first attempt, whether or not the runtime answered. Keeps trying by itself. */
  start(): Promise<void>;
  /** Lets go of the runtime. A Docker container goes on running; a child process cannot. */
  close(): Promise<void>;
  onEvent(listener: (event: RuntimeEvent) => void): () => void;

  /** Makes the image present: builds when the context changed, pulls when it is absent. */
  prepare(spec: ServiceSpec, options: PrepareOptions): Promise<Prepared>;
  /** The instance in state created, exited, running or paused, made anew only when it is absent or was made from something else. */
  create(spec: ServiceSpec, index: number, prepared: Prepared): Promise<ObservedInstance>;
  /**
   * Starts (or unpauses) and returns it with fresh endpoints.
   * @param seen what `create` has just returned of it, which spares a look; not relied on
   */
  startInstance(runtimeId: string, seen?: ObservedInstance): Promise<StartedInstance>;
  pauseInstance(runtimeId: string): Promise<void>;
  /** Asks it to end, and makes it end after `graceMs`. */
  stopInstance(runtimeId: string, graceMs: number): Promise<void>;
  /** Removes it, running or not. Named volumes stay. */
  removeInstance(runtimeId: string): Promise<void>;

  /** The address of this machine as instances see it; undefined where they see it as we do. */
  gateway(): Promise<string | undefined>;

  /** Undefined when it is gone. */
  inspect(runtimeId: string): Promise<ObservedInstance | undefined>;
  /** All instances of the project, also those of services that the manifest no longer has. */
  list(): Promise<ObservedInstance[]>;
  /** What `ObservedInstance.configHash` is when it was made from this spec. */
  configHash(spec: ServiceSpec): string;
  /** The exit code of a command inside the instance; the signal ends it. */
  exec(runtimeId: string, command: readonly string[], signal: AbortSignal): Promise<number>;
  logs(runtimeId: string, options: LogOptions): AsyncIterable<LogLine>;
  /** Readings about once a second until the signal aborts or the instance stops. */
  usage(runtimeId: string, signal: AbortSignal): AsyncIterable<Usage>;
}
