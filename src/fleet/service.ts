import type { ServiceSpec, SleepTier } from '../config/service-spec.ts';
import type { Timer } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { deferred } from '../lib/deferred.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import type { WakeTimings } from '../seam/control-link.ts';
import type { Failure, ServiceStatus, ServiceView } from '../seam/fleet-view.ts';
import { WakeFailed } from '../seam/wake-failed.ts';
import type { ScaleReason, StopReason, WakeReason } from './events.ts';
import { DesiredReplicas } from './desired-replicas.ts';
import { FailureHistory } from './failure-history.ts';
import { isResting, isServing, type InstanceState } from './instance-state.ts';
import { Instance, type InstanceOwner } from './instance.ts';
import type { Member, Replica } from './member.ts';
import { isAutoscaled } from './scale-decision.ts';
import type { Exit, ObservedInstance } from './runtime.ts';
import { ServiceEvents } from './service-events.ts';
import { startedHere } from './started-here.ts';
import { statusOf } from './service-status.ts';
import type { ServiceTools } from './service-tools.ts';
import { viewOf } from './service-view.ts';
import { Wake } from './wake.ts';
import { WakeTracker } from './wake-progress.ts';

/** A manifest entry that we run: so many instances, woken in single flight, put to sleep, replaced, healed. */
export class Service implements InstanceOwner, Member {
  readonly name: string;
  readonly #tools: ServiceTools;
  readonly #instances = new Map<number, Instance>();
  readonly #flight = new SingleFlight<WakeTimings>();
  readonly #failures: FailureHistory;
  readonly #events: ServiceEvents;
  #spec: ServiceSpec;
  readonly #desired: DesiredReplicas;
  #wake: Wake | undefined;
  #healing: Timer | undefined;
  #asleepSinceMs: number | undefined;
  #closed = false;
  readonly #onStarted = new Set<() => void>();

  constructor(spec: ServiceSpec, tools: ServiceTools) {
    this.name = spec.name;
    this.#spec = spec;
    this.#tools = tools;
    this.#failures = new FailureHistory(spec.name, tools.clock);
    this.#events = new ServiceEvents(spec.name, tools.bus);
    this.#desired = new DesiredReplicas(spec.scale);
    this.#asleepSinceMs = tools.clock.now();
  }

  get spec(): ServiceSpec {
    return this.#spec;
  }

  get desired(): number {
    return this.#desired.value;
  }

  get failure(): Failure | undefined {
    return this.#failures.latest;
  }

  get instances(): readonly Instance[] {
    return [...this.#instances.values()].sort((a, b) => a.key.index - b.key.index);
  }

  get status(): ServiceStatus {
    const states = this.instances.map(({ state }) => state);
    return statusOf({ states, desired: this.desired, waking: this.#wake !== undefined, failure: this.failure });
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

  /**
   * Takes over how many there are to be from what is stored, and brings back what is missing.
   * @param remembered it was asked for in an earlier life of the daemon: what was asked since counts more
   */
  follow(desired: number, remembered = false): void {
    const before = this.desired;
    this.#desired.follow(desired, remembered);
    if (this.#isServing() && this.#serving < this.desired && !this.#wake) this.#heal();
    if (this.desired !== before) this.changed();
  }

  /**
   * Ready (a job: completed) when it resolves; many callers share one wake.
   * @throws WakeFailed; while it backs off from a crash loop at once, unless the operator asks
   */
  wake(reason: WakeReason): Promise<WakeTimings> {
    if (this.#isServing() || (this.#spec.job && this.status === 'completed' && reason !== 'operator')) {
      return Promise.resolve({ totalMs: 0 });
    }
    const pausing = reason === 'operator' || this.#flight.busy ? undefined : this.#failures.pausing();
    if (pausing) return Promise.reject(pausing);
    return this.#flight.run(() => this.#wakeUp(reason));
  }

  /** Resolves as soon as an instance runs, ready or not. @throws WakeFailed */
  async untilStarted(reason: WakeReason): Promise<void> {
    if (this.#isIn('probing')) return;
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
    const before = this.status;
    this.#healing?.cancel();
    if (reason !== 'idle') this.#wake?.cancel(reason);
    if (reason === 'operator') this.#failures.clear();
    const leaving = this.#leaving(reason);
    const asleep = await Promise.all(leaving.map((instance) => instance.sleep(strategy, reason)));
    if (reason !== 'idle') await this.#flight.ended();
    if (reason === 'idle' && this.#isServing() && !this.#wake) this.#shrink();
    // How many an autoscaled service had is no measure of how many it needs next time.
    if (isAutoscaled(this.#spec) && this.status === 'asleep') this.#desired.set(this.#desired.least);
    this.changed();
    if (this.status === 'asleep' && before !== 'asleep') this.#events.asleep(reason, strategy);
    return asleep.every(Boolean);
  }

  /** Runs so many instances from now on, whenever it is awake; 0 puts it to sleep. @throws CodedError `scale_out_of_range` */
  async scale(replicas: number): Promise<void> {
    const { min, max } = this.#spec.scale;
    if (!Number.isInteger(replicas) || replicas < min || replicas > max) {
      const message = `${this.name} can have ${min} to ${max} instances (scale.min, scale.max), not ${replicas}`;
      throw new CodedError('scale_out_of_range', message);
    }
    const before = this.desired;
    if (replicas === 0) {
      await this.sleep('operator', 'stop');
      return;
    }
    this.#desired.ask(replicas);
    this.changed();
    this.#events.scaled(before, replicas, 'operator');
    const surplus = this.instances.filter(({ key }) => key.index > replicas);
    await Promise.all(surplus.map((instance) => instance.sleep('stop', 'operator')));
    await this.#flight.run(() => this.#wakeUp('operator'));
  }

  /**
   * Runs so many instances as the load asks. One that should leave but is still needed when the time for draining is over stays.
   * @param why what the event tells beside the numbers
   */
  async autoscale(replicas: number, reason: ScaleReason, why: Record<string, unknown>): Promise<void> {
    const before = this.desired;
    const staying = Array.from({ length: replicas }, (_, n) => this.instance(n + 1));
    // Nobody leaves before those who are to stay serve; the next look takes away who is too many then.
    const fills = replicas > before || staying.some(({ state }) => !isServing(state));
    if (!fills) {
      const surplus = this.instances.filter(({ key }) => key.index > replicas);
      this.#desired.set(replicas);
      this.changed();
      const patienceMs = this.#tools.drainTimeoutMs();
      await Promise.all(surplus.map((instance) => instance.sleep('stop', 'idle', patienceMs)));
      // An operator who asked for another number in the meantime is right.
      if (this.desired !== replicas) return;
      this.#desired.set(Math.min(Math.max(this.#serving, replicas), before));
    } else {
      this.#desired.set(Math.max(replicas, before));
    }
    this.changed();
    this.#events.scaled(before, this.desired, reason, why);
    if (fills) await this.#flight.run(() => this.#wakeUp('scale'));
  }

  /** Takes over a changed manifest entry; what runs and was made from something else is replaced. */
  async update(spec: ServiceSpec): Promise<void> {
    this.#spec = spec;
    this.#desired.fit(spec.scale);
    this.#failures.forget();
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
    if (stale.length === 0 || !this.#tools.inCharge(startedHere(this.instances))) return;
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
    if (resting) this.#asleepSinceMs ??= this.#tools.clock.now();
    // One that goes from a light sleep to a deeper one has not been awake in between.
    else if (status !== 'draining') this.#asleepSinceMs = undefined;
    if (this.#isIn('probing')) this.#onStarted.forEach((tell) => tell());
    return this.#tools.publish(this);
  }

  died(instance: Instance, exit: Exit, servedMs: number): Failure | undefined {
    const failure = this.#failures.died(instance.id, exit, servedMs);
    this.changed();
    this.#heal();
    return failure;
  }

  explained(failure: Failure, logTail: readonly string[]): void {
    const explained = this.#failures.explain(failure, logTail);
    if (!explained) return;
    this.changed();
    if (this.status === 'failed' && this.#spec.scale.min === 0) this.#events.failed(explained);
  }

  adopted(instance: Instance, error?: unknown): void {
    if (error === undefined) {
      this.#failures.served();
      this.changed();
      this.#replaceQuietly();
      return;
    }
    const message = `${instance.id} was found running but does not serve: ${messageOf(error)}`;
    this.#tools.log.warn({ service: this.name, err: error }, message);
    this.#failed(error, this.#isServing());
    this.changed();
  }

  get #serving(): number {
    return this.instances.filter(({ state }) => isServing(state)).length;
  }

  #isServing(): boolean {
    return this.instances.some(({ state }) => isServing(state));
  }

  #isIn(kind: InstanceState['kind']): boolean {
    return this.instances.some(({ state }) => state.kind === kind);
  }

  /** Those that went to rest while others stay are not missed, and are not brought back. */
  #shrink(): void {
    const before = this.desired;
    this.#desired.set(Math.min(this.#serving, before));
    this.#events.scaled(before, this.desired, 'idle');
  }

  /** All, but of those that are idle only what the service can do without. */
  #leaving(reason: StopReason): Instance[] {
    const staying = reason === 'idle' ? this.#spec.scale.min : 0;
    const stay = this.instances.filter(({ state }) => isServing(state)).slice(0, staying);
    return this.instances.filter((instance) => !stay.includes(instance));
  }

  async #wakeUp(reason: WakeReason, replace: readonly Instance[] = []): Promise<WakeTimings> {
    const wasServing = this.#isServing();
    const tracker = new WakeTracker(this.#tools.clock, () => this.#tools.publishSoon(this));
    const wake = new Wake(this, tracker, this.#tools);
    this.#wake = wake;
    this.changed();
    try {
      const timings = await wake.run(reason, replace);
      this.#failures.served();
      void this.#tend(wake);
      // An edit may have come while it woke.
      void this.#flight.ended().then(() => this.#replaceQuietly());
      if (!wasServing) this.#events.awake(timings);
      return timings;
    } catch (error) {
      const failed = this.#failed(error, wasServing);
      if (failed.code !== 'start_cancelled') this.#heal();
      throw failed;
    } finally {
      this.#wake = undefined;
      this.changed();
    }
  }

  /** A wake is over with the first that is ready. This looks after the others: some may have failed, or be wanted only since. */
  async #tend(wake: Wake): Promise<void> {
    const [error] = await wake.failures();
    this.#replaceQuietly();
    const failed = error === undefined ? undefined : this.#failed(error, true);
    if (failed?.code === 'start_cancelled') return;
    const wanted = Array.from({ length: this.desired }, (_, n) => this.instance(n + 1));
    if (!failed && wanted.every(({ state }) => !isResting(state))) return;
    this.changed();
    this.#heal();
  }

  #failed(error: unknown, wasServing: boolean): WakeFailed {
    const failure = this.#failures.failed(error);
    if (failure.code !== 'start_cancelled' && !wasServing) this.#events.failed(failure);
    return new WakeFailed(this.name, failure, { cause: error });
  }

  /** Brings back what is missing, later if it keeps failing. Nothing is missing where nothing has to be awake. */
  #heal(): void {
    if (this.#closed || !(this.#isServing() || this.#spec.scale.min > 0)) return;
    this.#healing?.cancel();
    this.#healing = this.#tools.clock.after(this.#failures.nextHealMs(), () => {
      if (!this.#tools.inCharge(startedHere(this.instances))) return;
      this.#flight
        .run(() => this.#wakeUp('heal'))
        .catch((error: unknown) => {
          this.#tools.log.warn({ service: this.name, err: error }, `${this.name} could not be brought back`);
        });
    });
  }

  #replaceQuietly(): void {
    this.replaceStale().catch((error: unknown) => {
      const message = `${this.name} runs on from an old configuration: ${messageOf(error)}`;
      this.#tools.log.warn({ service: this.name, err: error }, message);
    });
  }
}
