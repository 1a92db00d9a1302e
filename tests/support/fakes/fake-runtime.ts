import { createHash } from 'node:crypto';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import { RuntimeError, RuntimeUnavailable } from '../../../src/fleet/errors.ts';
import type {
  LogLine,
  LogOptions,
  ObservedInstance,
  Prepared,
  PrepareOptions,
  PrepareProgress,
  Runtime,
  RuntimeCondition,
  RuntimeEvent,
  Usage,
} from '../../../src/fleet/runtime.ts';
import { instanceId } from '../../../src/fleet/runtime.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { SystemClock, sleep } from '../../../src/lib/clock.ts';
import { FakeInstance, type FakeConduct } from './fake-instance.ts';

/** How the fake treats one service; what is absent succeeds at once. */
export interface FakeBehaviour extends FakeConduct {
  readonly prepareMs?: number;
  readonly prepareFails?: Error;
  readonly progress?: readonly PrepareProgress[];
  readonly imageId?: string;
  readonly fresh?: boolean;
  readonly createFails?: Error;
  readonly startMs?: number;
  readonly startFails?: Error;
}

export type FakeMethod = 'prepare' | 'create' | 'start' | 'pause' | 'stop' | 'remove' | 'inspect' | 'list' | 'exec';

export interface FakeCall {
  readonly method: FakeMethod;
  /** A service for prepare, an instance such as `web-1` for what acts on one, '' for list. */
  readonly subject: string;
}

export interface FakeRuntimeOptions {
  readonly clock?: Clock;
  readonly kind?: Runtime['kind'];
  /** Endpoints lead to a real listener on 127.0.0.1 that answers 200; otherwise to a port where nobody listens. */
  readonly listen?: boolean;
  /** The behaviour of services that `behave` was not called for. */
  readonly behaviourOf?: (spec: ServiceSpec) => FakeBehaviour;
}

interface Hold {
  readonly method: FakeMethod;
  readonly subject: string | undefined;
  readonly released: Promise<void>;
}

const FIRST_PORT = 20_001;
const USAGE_INTERVAL_MS = 1_000;

/** A runtime in memory that does what a test tells it to, and keeps the contract otherwise. */
export class FakeRuntime implements Runtime {
  readonly kind: Runtime['kind'];
  /** Every call in order, also those that failed. */
  readonly calls: FakeCall[] = [];
  readonly #options: FakeRuntimeOptions;
  readonly #clock: Clock;
  readonly #instances = new Map<string, FakeInstance>();
  readonly #behaviours = new Map<string, FakeBehaviour>();
  readonly #listeners = new Set<(event: RuntimeEvent) => void>();
  readonly #starts = new Map<string, number>();
  readonly #holds = new Set<Hold>();
  readonly #usageStreams = new Map<string, { opened: number; open: number }>();
  #condition: RuntimeCondition = { up: true };
  #made = 0;

  constructor(options: FakeRuntimeOptions = {}) {
    this.#options = options;
    this.kind = options.kind ?? 'docker';
    this.#clock = options.clock ?? new SystemClock();
  }

  // What tests turn.

  /** Changes how a service is treated from now on; fields given before stay. */
  behave(service: string, behaviour: FakeBehaviour): void {
    this.#behaviours.set(service, { ...this.#behaviours.get(service), ...behaviour });
  }

  /** Makes calls of a method (of one subject) wait until the returned function is called. */
  hold(method: FakeMethod, subject?: string): () => void {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    const hold = { method, subject, released };
    this.#holds.add(hold);
    return () => {
      this.#holds.delete(hold);
      release();
    };
  }

  /** How many times instances of a service went from created or exited to running. */
  starts(service: string): number {
    return this.#starts.get(service) ?? 0;
  }

  /** How many streams of readings were opened for an instance, and how many of them are open now. */
  usageStreams(id: string): { opened: number; open: number } {
    return this.#usageStreams.get(id) ?? { opened: 0, open: 0 };
  }

  count(method: FakeMethod, subject?: string): number {
    return this.calls.filter((call) => call.method === method && (subject === undefined || call.subject === subject))
      .length;
  }

  /** Ends a running instance (`web-1`) as if it had died by itself. */
  exit(id: string, code: number): void {
    this.#named(id).end({ code, oomKilled: false });
  }

  /** The kernel ends it for want of memory. */
  oom(id: string): void {
    const { key, runtimeId } = this.#named(id);
    this.#emit({ type: 'oom', key, runtimeId });
    this.#named(id).end({ code: 137, oomKilled: true });
  }

  /** Takes its address from an instance that runs or is paused; another `create` makes it anew. */
  unplug = (id: string): void => this.#emit({ type: 'unplugged', runtimeId: this.#named(id).unplug() });

  health(id: string, healthy: boolean): void {
    const { key, runtimeId } = this.#named(id);
    this.#emit({ type: 'health', key, runtimeId, healthy });
  }

  /** Whatever `happens` is told to nobody, as when the stream of events is cut. */
  deaf(happens: () => void): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    happens();
    for (const listener of listeners) this.#listeners.add(listener);
  }

  write(id: string, text: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    this.#named(id).write(stream, text);
  }

  /** While down every call rejects with RuntimeUnavailable. */
  setCondition(condition: RuntimeCondition): void {
    this.#condition = condition;
    this.#emit({ type: 'condition', condition });
  }

  /** An instance that was there before the daemon: made and started without a trace in `calls`, `starts` or the events. */
  async plant(spec: ServiceSpec, index = 1, state: 'created' | 'running' | 'paused' = 'running'): Promise<string> {
    const instance = this.#make(spec, index, this.#imageId(spec), () => undefined);
    if (state !== 'created') await instance.start(this.#nextPort());
    if (state === 'paused') instance.pause();
    return instance.runtimeId;
  }

  // The contract.

  get condition(): RuntimeCondition {
    return this.#condition;
  }

  gateway(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    for (const instance of this.#instances.values()) instance.remove();
    this.#instances.clear();
    this.#listeners.clear();
    return Promise.resolve();
  }

  onEvent(listener: (event: RuntimeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async prepare(spec: ServiceSpec, options: PrepareOptions): Promise<Prepared> {
    const { signal } = options;
    const { prepareMs = 0, prepareFails, progress = [], fresh = false } = this.#behaviourOf(spec);
    await this.#called('prepare', spec.name);
    signal.throwIfAborted();
    for (const step of progress) options.onProgress(step);
    if (prepareMs > 0) await sleep(this.#clock, prepareMs, signal);
    signal.throwIfAborted();
    if (prepareFails) throw prepareFails;
    return { imageId: this.#imageId(spec), fresh };
  }

  async create(spec: ServiceSpec, index: number, { imageId }: Prepared): Promise<ObservedInstance> {
    const id = instanceId({ service: spec.name, index });
    await this.#called('create', id);
    const { createFails } = this.#behaviourOf(spec);
    if (createFails) throw createFails;
    const present = this.#instances.get(id);
    if (present?.isFit(imageId, this.configHash(spec))) return present.observe();
    present?.remove();
    return this.#make(spec, index, imageId, this.#emit).observe();
  }

  async startInstance(runtimeId: string): ReturnType<Runtime['startInstance']> {
    const instance = await this.#calledFor('start', runtimeId);
    if (!instance) throw new RuntimeError('start_failed', `The instance ${runtimeId} is gone; create it again.`);
    return instance.startOnce(() => this.#startNow(instance));
  }

  async pauseInstance(runtimeId: string): Promise<void> {
    (await this.#calledFor('pause', runtimeId))?.pause();
  }

  async stopInstance(runtimeId: string, graceMs: number): Promise<void> {
    await (await this.#calledFor('stop', runtimeId))?.stop(graceMs);
  }

  async removeInstance(runtimeId: string): Promise<void> {
    const instance = await this.#calledFor('remove', runtimeId);
    if (!instance) return;
    this.#instances.delete(instance.id);
    instance.remove();
  }

  async inspect(runtimeId: string): Promise<ObservedInstance | undefined> {
    return (await this.#calledFor('inspect', runtimeId))?.observe();
  }

  async list(): Promise<ObservedInstance[]> {
    await this.#called('list', '');
    return [...this.#instances.values()].map((instance) => instance.observe());
  }

  configHash(spec: ServiceSpec): string {
    const { source, process, port, publish, command, env, volumes, user, labels, resources } = spec;
    const made = [source, process, port, publish, command, env, volumes, user, labels, resources];
    return createHash('sha256').update(JSON.stringify(made, sortedKeys)).digest('hex').slice(0, 16);
  }

  async exec(runtimeId: string, command: readonly string[], signal: AbortSignal): Promise<number> {
    const instance = await this.#calledFor('exec', runtimeId);
    if (!instance?.up) throw new RuntimeError('probe_failed', `The instance ${runtimeId} does not run.`);
    signal.throwIfAborted();
    return (await this.#behaviourOf(instance.spec).exec?.(command, signal)) ?? 0;
  }

  async *logs(runtimeId: string, options: LogOptions): AsyncGenerator<LogLine> {
    this.#requireUp();
    yield* this.#byHandle(runtimeId)?.logs(options) ?? [];
  }

  async *usage(runtimeId: string, signal: AbortSignal): AsyncGenerator<Usage> {
    this.#requireUp();
    const instance = this.#byHandle(runtimeId);
    const goesOn = (): boolean => instance?.up === true && !signal.aborted;
    if (!instance || !goesOn()) return;
    const { opened, open } = this.usageStreams(instance.id);
    const streams = { opened: opened + 1, open: open + 1 };
    this.#usageStreams.set(instance.id, streams);
    try {
      while (goesOn()) {
        yield await this.#readingOf(instance);
        await this.#untilNextReading(instance.runtimeId, signal);
      }
    } finally {
      streams.open -= 1;
    }
  }

  async #readingOf(instance: FakeInstance): Promise<Usage> {
    const memoryLimitBytes = instance.spec.resources.memoryBytes;
    const idle = { cpuRatio: 0, memoryBytes: 1_000_000, memoryLimitBytes };
    const { usage = idle, usageFails } = this.#behaviourOf(instance.spec);
    if (usageFails === 'hangs') await new Promise(() => undefined);
    if (usageFails instanceof Error) throw usageFails;
    return typeof usage === 'function' ? usage(instance) : usage;
  }

  async #startNow(instance: FakeInstance): Promise<ObservedInstance> {
    const { startMs = 0, startFails } = this.#behaviourOf(instance.spec);
    if (startMs > 0) await sleep(this.#clock, startMs);
    if (startFails) throw startFails;
    const { name } = instance.spec;
    if (!instance.up) this.#starts.set(name, this.starts(name) + 1);
    await instance.start(this.#nextPort());
    return instance.observe();
  }

  /** A second, or less when the instance changes. */
  async #untilNextReading(runtimeId: string, signal: AbortSignal): Promise<void> {
    const changed = new AbortController();
    const forget = this.onEvent((event) => {
      if (event.type === 'changed' && event.runtimeId === runtimeId) changed.abort();
    });
    await sleep(this.#clock, USAGE_INTERVAL_MS, AbortSignal.any([signal, changed.signal]));
    forget();
  }

  #make(spec: ServiceSpec, index: number, imageId: string, emit: (event: RuntimeEvent) => void): FakeInstance {
    const key = { service: spec.name, index };
    const runtimeId = `fake-${(this.#made += 1)}`;
    let announce = emit;
    const instance = new FakeInstance({
      key,
      runtimeId,
      spec,
      configHash: this.configHash(spec),
      imageId,
      clock: this.#clock,
      listen: this.#options.listen ?? false,
      conduct: () => this.#behaviourOf(spec),
      changed: (began) => announce({ type: 'changed', key, runtimeId, ...(began && { began }) }),
    });
    this.#instances.set(instance.id, instance);
    // A planted instance is silent only while it is planted.
    setImmediate(() => (announce = this.#emit));
    return instance;
  }

  #imageId(spec: ServiceSpec): string {
    return this.#behaviourOf(spec).imageId ?? `image-of-${spec.name}`;
  }

  #behaviourOf(spec: ServiceSpec): FakeBehaviour {
    return { ...this.#options.behaviourOf?.(spec), ...this.#behaviours.get(spec.name) };
  }

  #nextPort(): number {
    return FIRST_PORT + this.#made + [...this.#starts.values()].reduce((sum, count) => sum + count, 0);
  }

  async #called(method: FakeMethod, subject: string): Promise<void> {
    this.calls.push({ method, subject });
    this.#requireUp();
    for (const hold of this.#holds) {
      if (hold.method === method && (hold.subject ?? subject) === subject) await hold.released;
    }
    this.#requireUp();
  }

  async #calledFor(method: FakeMethod, runtimeId: string): Promise<FakeInstance | undefined> {
    await this.#called(method, this.#byHandle(runtimeId)?.id ?? runtimeId);
    return this.#byHandle(runtimeId);
  }

  #requireUp(): void {
    if (!this.#condition.up) throw new RuntimeUnavailable(`The runtime is away: ${this.#condition.reason}`);
  }

  #byHandle(runtimeId: string): FakeInstance | undefined {
    return [...this.#instances.values()].find((instance) => instance.runtimeId === runtimeId);
  }

  #named(id: string): FakeInstance {
    const instance = this.#instances.get(id);
    if (!instance) throw new Error(`There is no instance ${id}; there are: ${[...this.#instances.keys()].join(', ')}`);
    return instance;
  }

  readonly #emit = (event: RuntimeEvent): void => {
    for (const listener of [...this.#listeners]) listener(event);
  };
}

/** A replacer for JSON.stringify that makes the order in which an object was written irrelevant. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
