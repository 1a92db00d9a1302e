import type { ServiceSpec, SleepTier } from '../config/service-spec.ts';
import type { Timer } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { deferred } from '../lib/deferred.ts';
import type { Logger } from '../lib/logger.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import type { WakeTimings } from '../seam/control-link.ts';
import type { Failure, ServiceStatus, ServiceView } from '../seam/fleet-view.ts';
import { WakeFailed } from '../seam/wake-failed.ts';
import { CrashLoop, SETTLED_AFTER_MS } from './crash-loop.ts';
import type { StopReason } from './events.ts';
import { failureOf } from './failures.ts';
import { isServing } from './instance-state.ts';
import { Instance, type InstanceOwner, type InstanceTools } from './instance.ts';
import type { Member, Replica } from './member.ts';
import type { Exit, ObservedInstance } from './runtime.ts';
import { statusOf } from './service-status.ts';
import { viewOf } from './service-view.ts';
import { Wake, type WakeReason } from './wake.ts';
import { WakeTracker } from './wake-progress.ts';

export interface ServiceTools extends InstanceTools {
  readonly log: Logger;
  /** Brings a dependency to where the dependent needs it. */
  readonly wakeDependency: (dependent: Service, name: string) => Promise<void>;
  /** Tells the data half at once; returns the version that shows it. */
  readonly publish: (service: Service) => number;
  /** The same, but many in a row become one. */
  readonly publishSoon: (service: Service) => void;
  /** Whether those who wait may read the log lines of the start. */
  readonly showLogs: boolean;
}

/** A manifest entry that we run: so many instances, woken in single flight, put to sleep, replaced, healed. */
export class Service implements InstanceOwner, Member {
  readonly name: string;
  readonly #tools: ServiceTools;
  readonly #instances = new Map<number, Instance>();
  readonly #flight = new SingleFlight<WakeTimings>();
  readonly #crashes: CrashLoop;
  #spec: ServiceSpec;
  #desired: number;
  #wake: Wake | undefined;
  #failure: Failure | undefined;
  #healing: Timer | undefined;
  #asleepSinceMs: number | undefined;
  #closed = false;
  readonly #onStarted = new Set<() => void>();

  constructor(spec: ServiceSpec, tools: ServiceTools) {
    this.name = spec.name;
    this.#spec = spec;
    this.#tools = tools;
    this.#crashes = new CrashLoop(tools.clock);
    this.#desired = Math.max(1, spec.scale.min);
    this.#asleepSinceMs = tools.clock.now();
  }

  get spec(): ServiceSpec {
    return this.#spec;
  }

  get desired(): number {
    return this.#desired;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  get instances(): readonly Instance[] {
    return [...this.#instances.values()].sort((a, b) => a.key.index - b.key.index);
  }

  get status(): ServiceStatus {
    const states = this.instances.map(({ state }) => state);
    return statusOf({ states, desired: this.#desired, waking: this.#wake !== undefined, failure: this.#failure });
  }

  get replicas(): readonly Replica[] {
    return this.instances.map(({ id, state }) => {
      const endpoint = 'endpoints' in state ? state.endpoints[this.#spec.port] : undefined;
      const base = { id, state: state.kind, since: state.since };
      return endpoint ? { ...base, upstream: `${endpoint.host}:${endpoint.port}` } : base;
    });
  }

  /** The monotonic instant since when it has been asleep; undefined while it is not. */
  get asleepSinceMs(): number | undefined {
    return this.#asleepSinceMs;
  }

  view(): ServiceView {
    return viewOf(this, this.#wake?.progress);
  }

  /** @param desired what the operator asked for in an earlier life of the daemon */
  restore(desired: number): void {
    this.#desired = clamp(desired, Math.max(1, this.#spec.scale.min), this.#spec.scale.max);
  }

  /**
   * Ready (a job: completed) when it resolves; many callers share one wake.
   * @throws WakeFailed; while it backs off from a crash loop at once, unless the operator asks
   */
  wake(reason: WakeReason): Promise<WakeTimings> {
    if (this.#isServing() || (this.#spec.job && this.status === 'completed' && reason !== 'operator')) {
      return Promise.resolve({ totalMs: 0 });
    }
    const pauseMs = this.#crashes.pauseMs;
    if (pauseMs > 0 && reason !== 'operator' && !this.#flight.busy) return Promise.reject(this.#pausing(pauseMs));
    return this.#flight.run(() => this.#wakeUp(reason));
  }

  /** Resolves as soon as an instance runs, ready or not. @throws WakeFailed */
  async untilStarted(reason: WakeReason): Promise<void> {
    const started = deferred<undefined>();
    const stopListening = this.onStarted(() => started.resolve(undefined));
    try {
      await Promise.race([this.wake(reason), started.promise]);
    } finally {
      stopListening();
    }
  }

  /** Tells, perhaps more than once, that an instance runs but is not ready yet. */
  onStarted(tell: () => void): () => void {
    this.#onStarted.add(tell);
    return () => this.#onStarted.delete(tell);
  }

  /** @returns whether everything that should sleep does; false when it turned out to be busy */
  async sleep(reason: StopReason, strategy: SleepTier['strategy']): Promise<boolean> {
    const keep = reason === 'idle' ? this.#spec.scale.min : 0;
    const before = this.status;
    this.#healing?.cancel();
    if (reason !== 'idle') this.#wake?.cancel(reason);
    const leaving = this.instances.slice(keep);
    const asleep = await Promise.all(leaving.map((instance) => instance.sleep(strategy, reason)));
    const status = this.status;
    if (status === 'asleep' && before !== 'asleep') this.#emitAsleep(reason, strategy);
    return asleep.every(Boolean);
  }

  /** Runs so many instances from now on, whenever it is awake; 0 puts it to sleep. @throws CodedError `scale_out_of_range` */
  async scale(replicas: number): Promise<void> {
    const { min, max } = this.#spec.scale;
    if (!Number.isInteger(replicas) || replicas < min || replicas > max) {
      const message = `${this.name} can have ${min} to ${max} instances (scale.min, scale.max), not ${replicas}`;
      throw new CodedError('scale_out_of_range', message);
    }
    const before = this.#desired;
    if (replicas === 0) {
      await this.sleep('operator', 'stop');
      return;
    }
    this.#desired = replicas;
    this.changed();
    if (replicas !== before) this.#emitScale(before, replicas);
    const surplus = this.instances.filter(({ key }) => key.index > replicas);
    await Promise.all(surplus.map((instance) => instance.sleep('stop', 'operator')));
    await this.#flight.run(() => this.#wakeUp('operator'));
  }

  /** Takes over a changed manifest entry; what runs and was made from something else is replaced. */
  async update(spec: ServiceSpec): Promise<void> {
    this.#spec = spec;
    this.#desired = clamp(this.#desired, Math.max(1, spec.scale.min), spec.scale.max);
    this.#crashes.reset();
    this.#failure = undefined;
    this.changed();
    const surplus = this.instances.filter(({ key }) => key.index > spec.scale.max);
    await Promise.all(surplus.map((instance) => instance.sleep('remove', 'replaced')));
    await this.replaceStale();
    if (spec.scale.min > 0) await this.wake('boot');
  }

  /** Replaces what serves from an old configuration. Whatever can fail early (a build) fails before anything is stopped. */
  async replaceStale(): Promise<void> {
    const hash = this.#tools.runtime.configHash(this.#spec);
    const stale = this.instances.filter(({ configHash, state }) => configHash !== hash && state.kind === 'ready');
    if (stale.length === 0) return;
    await this.#flight.run(() => this.#wakeUp('replace', stale));
  }

  /** Brings one instance in line with what the runtime shows of it. */
  async observe(index: number, observed: ObservedInstance | undefined): Promise<void> {
    if (!observed && !this.#instances.has(index)) return;
    await this.instance(index).observe(observed);
  }

  async verify(instanceId: string): Promise<void> {
    await this.instances.find(({ id }) => id === instanceId)?.verify();
  }

  /** Leaves the manifest: everything of it is drained and removed. */
  async dispose(): Promise<void> {
    this.close();
    await Promise.all(this.instances.map((instance) => instance.sleep('remove', 'replaced')));
  }

  /** The daemon ends: no more healing; what runs goes on running. */
  close(): void {
    this.#closed = true;
    this.#healing?.cancel();
    this.#wake?.cancel('shutdown');
  }

  instance(index: number): Instance {
    const known = this.#instances.get(index);
    if (known) return known;
    const instance = new Instance({ service: this.name, index }, this, this.#tools);
    this.#instances.set(index, instance);
    return instance;
  }

  changed(): number {
    const { status } = this;
    const resting = status === 'asleep' || status === 'failed' || status === 'completed';
    if (!resting) this.#asleepSinceMs = undefined;
    else this.#asleepSinceMs ??= this.#tools.clock.now();
    if (this.instances.some(({ state }) => state.kind === 'probing')) this.#onStarted.forEach((tell) => tell());
    return this.#tools.publish(this);
  }

  died(instance: Instance, exit: Exit, servedMs: number): void {
    const crashed = exit.code !== 0 || exit.oomKilled;
    if (servedMs < SETTLED_AFTER_MS) this.#crashes.fail();
    else this.#crashes.reset();
    const detail = exit.oomKilled
      ? `${instance.id} was ended for using more than its memory limit; raise resources.memory`
      : `${instance.id} ended by itself with exit code ${exit.code}; see its log`;
    const code = exit.oomKilled ? 'out_of_memory' : 'instance_exited';
    if (crashed) this.#failure = { code, detail, logTail: [], atEpochMs: this.#tools.clock.epochMs() };
    this.changed();
    if (this.#isServing() || this.#spec.scale.min > 0) this.#heal();
    else if (crashed) this.#tools.bus.emit('service.failed', this.name, { code, detail, logTail: [] });
  }

  adopted(instance: Instance, error?: unknown): void {
    const { log } = this.#tools;
    if (error === undefined) {
      this.replaceStale().catch((cause: unknown) => {
        log.warn(
          { service: this.name, err: cause },
          `${instance.id} runs on from an old configuration: ${messageOf(cause)}`,
        );
      });
      return;
    }
    log.warn(
      { service: this.name, err: error },
      `${instance.id} was found running but does not serve: ${messageOf(error)}`,
    );
    this.#failed(error, this.#isServing());
    this.changed();
  }

  #isServing(): boolean {
    return this.instances.some(({ state }) => isServing(state));
  }

  async #wakeUp(reason: WakeReason, replace: readonly Instance[] = []): Promise<WakeTimings> {
    const wasServing = this.#isServing();
    const tracker = new WakeTracker(this.#tools.clock, () => this.#tools.publishSoon(this));
    const wake = new Wake(this, tracker, this.#tools);
    this.#wake = wake;
    this.changed();
    try {
      const timings = await wake.run(reason, replace);
      this.#failure = undefined;
      if (!wasServing) this.#emitAwake(timings);
      return timings;
    } catch (error) {
      throw this.#failed(error, wasServing);
    } finally {
      this.#wake = undefined;
      this.changed();
      if (this.#failure || this.instances.some(({ state }) => state.kind === 'failed')) this.#heal();
    }
  }

  #failed(error: unknown, wasServing: boolean): WakeFailed {
    const failure = failureOf(this.name, error, this.#tools.clock);
    this.#failure = failure;
    const innocent = ['runtime_unavailable', 'dependency_failed', 'start_cancelled'].includes(failure.code);
    if (!innocent) this.#crashes.fail();
    const { code, detail, logTail } = failure;
    if (code !== 'start_cancelled' && !wasServing)
      this.#tools.bus.emit('service.failed', this.name, { code, detail, logTail });
    return new WakeFailed(this.name, failure, { cause: error });
  }

  #pausing(pauseMs: number): WakeFailed {
    const seconds = Math.ceil(pauseMs / 1000);
    const last = this.#failure?.detail ?? 'it ended soon after it started';
    const detail = `${this.name} failed ${this.#crashes.failures} times in a row and is tried again in ${seconds} s. The last time: ${last}`;
    const now = this.#tools.clock.epochMs();
    const failure = { code: 'crash_loop', detail, logTail: this.#failure?.logTail ?? [], atEpochMs: now };
    return new WakeFailed(this.name, { ...failure, retryAtEpochMs: now + pauseMs });
  }

  /** Brings back what is missing, later if it keeps failing. Nothing is missing where nothing has to be awake. */
  #heal(): void {
    if (this.#closed || !(this.#isServing() || this.#spec.scale.min > 0)) return;
    this.#healing?.cancel();
    this.#healing = this.#tools.clock.after(Math.max(HEAL_AFTER_MS, this.#crashes.pauseMs), () => {
      this.#flight
        .run(() => this.#wakeUp('heal'))
        .catch((error: unknown) => {
          this.#tools.log.warn({ service: this.name, err: error }, `${this.name} could not be brought back`);
        });
    });
  }

  #emitAwake(timings: WakeTimings): void {
    const rounded = Object.fromEntries(Object.entries(timings).map(([part, ms]) => [part, Math.round(ms as number)]));
    this.#tools.bus.emit('service.awake', this.name, rounded);
  }

  #emitAsleep(reason: StopReason, strategy: SleepTier['strategy']): void {
    this.#tools.bus.emit('service.asleep', this.name, { reason, strategy });
  }

  #emitScale(from: number, to: number): void {
    const type = to > from ? 'scale.up' : 'scale.down';
    this.#tools.bus.emit(type, this.name, { from, to, reason: 'operator' });
  }
}

const HEAL_AFTER_MS = 100;

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
