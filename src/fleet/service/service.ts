import type { ServiceSpec, SleepTier } from '../../config/service-spec.ts';
import { messageOf } from '../../lib/coded-error.ts';
import { deferred } from '../../lib/deferred.ts';
import type { WakeTimings } from '../../seam/control-link.ts';
import type { Failure, ServiceStatus, ServiceView } from '../../seam/fleet-view.ts';
import { DesiredReplicas } from './desired-replicas.ts';
import type { ScaleReason, StopReason, WakeReason } from '../events.ts';
import { FailureHistory } from './failure-history.ts';
import { Healing } from './healing.ts';
import type { InstanceOwner } from '../instance/instance-tools.ts';
import { Instance } from '../instance/instance.ts';
import { Instances } from './instances.ts';
import type { InstanceView, Member } from '../member.ts';
import type { Exit, ObservedInstance } from '../runtime.ts';
import { isAutoscaled } from '../keepers/scale-decision.ts';
import { Replacing } from './replacing.ts';
import { checkScale, Scaling } from './scaling.ts';
import { ServiceEvents } from './service-events.ts';
import { statusOf } from './service-status.ts';
import type { ServiceTools } from './service-tools.ts';
import { exitError } from '../instance/start-attempt.ts';
import { instanceViewOf, viewOf } from './service-view.ts';
import { Wakes, type WakesOwner } from './wakes.ts';

/** A manifest entry that we run: woken, put to sleep, scaled, replaced when it was edited, healed. */
export class Service implements InstanceOwner, Member, WakesOwner {
  readonly name: string;
  readonly #tools: ServiceTools;
  readonly #instances: Instances;
  readonly #desired: DesiredReplicas;
  readonly #failures: FailureHistory;
  readonly #events: ServiceEvents;
  readonly #wakes: Wakes;
  readonly #scaling: Scaling;
  readonly #replacing: Replacing;
  readonly #healing: Healing;
  readonly #onStarted = new Set<() => void>();
  #spec: ServiceSpec;
  #asleepSinceMs: number | undefined;

  constructor(spec: ServiceSpec, tools: ServiceTools) {
    const { clock, bus, log, drainTimeoutMs, company, runtime } = tools;
    const { name } = spec;
    this.name = name;
    this.#spec = spec;
    this.#tools = tools;
    this.#instances = new Instances((index) => new Instance({ service: name, index }, this, tools));
    this.#desired = new DesiredReplicas(spec.scale);
    this.#failures = new FailureHistory(name, clock);
    this.#events = new ServiceEvents(name, bus);
    const shared = { instances: this.#instances, failures: this.#failures, events: this.#events };
    this.#wakes = new Wakes(this, { ...tools, ...shared, onProgress: () => tools.publishSoon(this) });
    this.#scaling = new Scaling({
      ...{ ...shared, desired: this.#desired, wakes: this.#wakes, drainTimeoutMs },
      changed: () => this.changed(),
    });
    this.#replacing = new Replacing({
      ...{ runtime, company, log, instances: this.#instances, wakes: this.#wakes },
      spec: () => this.#spec,
    });
    this.#healing = new Healing({
      ...{ clock, log, service: name },
      needed: () => this.serving.length > 0 || this.#spec.scale.min > 0,
      nextInMs: () => this.#failures.nextHealMs(),
      mayHeal: () => company.confirm(this.startedHere),
      wake: () => this.#wakes.run('heal'),
    });
    this.#asleepSinceMs = clock.now();
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
    return this.#instances.all;
  }

  /** Those that answer requests. */
  get serving(): readonly Instance[] {
    return this.#instances.serving;
  }

  /** Those that there are to be while it is awake. */
  get wanted(): readonly Instance[] {
    return this.#instances.first(this.desired);
  }

  /** Whether all that serves was started by this process. */
  get startedHere(): boolean {
    return this.#instances.startedHere;
  }

  get status(): ServiceStatus {
    const states = this.instances.map(({ state }) => state);
    return statusOf({ states, desired: this.desired, waking: this.#wakes.waking, failure: this.failure });
  }

  get instanceViews(): readonly InstanceView[] {
    return this.instances.map((instance) => instanceViewOf(instance, this.#spec.port));
  }

  /** The monotonic instant since when it has been asleep; undefined while it is not. */
  get asleepSinceMs(): number | undefined {
    return this.#asleepSinceMs;
  }

  view(): ServiceView {
    return viewOf(this, this.#wakes.progress);
  }

  instance(index: number): Instance {
    return this.#instances.at(index);
  }

  /**
   * Takes over how many there are to be from what is stored, and brings back what is missing.
   * @param remembered it was asked for in an earlier life of the daemon: what was asked since counts more
   */
  follow(desired: number, remembered = false): void {
    const before = this.desired;
    this.#desired.follow(desired, remembered);
    const { length } = this.serving;
    if (length > 0 && length < this.desired && !this.#wakes.waking) this.missing();
    if (this.desired !== before) this.changed();
  }

  /**
   * Ready (a job: completed) when it resolves; many callers share one wake.
   * @throws WakeFailed; while it backs off from a crash loop at once, unless the operator asks
   */
  wake(reason: WakeReason): Promise<WakeTimings> {
    const done = this.#spec.job && this.status === 'completed' && reason !== 'operator';
    if (done || this.serving.length > 0) return this.#replacing.untilPortsAnswer().then(() => ({ totalMs: 0 }));
    const pausing = reason === 'operator' ? undefined : this.#wakes.pausing();
    return pausing ? Promise.reject(pausing) : this.#wakes.run(reason);
  }

  /** Resolves as soon as an instance runs, ready or not. @throws WakeFailed */
  async untilStarted(reason: WakeReason): Promise<void> {
    if (this.#instances.anyIn('probing')) return;
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
    this.#healing.cancel();
    if (reason !== 'idle') this.#wakes.cancel(reason);
    if (reason === 'operator') this.#failures.clear();
    const leaving = this.#leaving(reason);
    const asleep = await Promise.all(leaving.map((instance) => instance.sleep(strategy, reason)));
    if (reason !== 'idle') await this.#wakes.ended();
    if (reason === 'idle' && this.serving.length > 0 && !this.#wakes.waking) this.#scaling.shrink();
    // How many an autoscaled service had is no measure of how many it needs next time.
    if (isAutoscaled(this.#spec) && this.status === 'asleep') this.#desired.set(this.#desired.least);
    this.changed();
    const doneHere = asleep.every(Boolean);
    if (doneHere && this.status === 'asleep' && before !== 'asleep') this.#events.asleep(reason, strategy);
    return doneHere;
  }

  /** Runs so many instances from now on, whenever it is awake; 0 puts it to sleep. @throws CodedError `scale_out_of_range` */
  async scale(replicas: number): Promise<void> {
    checkScale(this.#spec, replicas);
    if (replicas === 0) await this.sleep('operator', 'stop');
    else await this.#scaling.ask(replicas);
  }

  /** Runs so many instances as the load asks. */
  autoscale(replicas: number, reason: ScaleReason, why: Record<string, unknown>): Promise<void> {
    return this.#scaling.adapt(replicas, reason, why);
  }

  /** Takes over a changed manifest entry; what runs and was made from something else is replaced. */
  async update(spec: ServiceSpec): Promise<void> {
    this.#spec = spec;
    this.#failures.forget();
    await this.#scaling.fit(spec.scale);
    await this.#replacing.run();
    if (spec.scale.min > 0) await this.wake('boot');
  }

  /** Brings one instance in line with what the runtime shows of it. */
  async observe(index: number, observed: ObservedInstance | undefined): Promise<void> {
    if (!observed && !this.#instances.has(index)) return;
    await this.instance(index).observe(observed);
  }

  /** Another process has ended while it started this instance: what became of it is told here. */
  async inherit(index: number): Promise<void> {
    const instance = this.instance(index);
    if (instance.startedHere) return;
    instance.inherit();
    if (instance.state.kind === 'failed') this.#events.failed(instance.state.failure);
    if (instance.state.kind !== 'stopped' || instance.runtimeId === undefined) return;
    // It ended before anybody saw it run.
    const exit = (await this.#tools.runtime.inspect(instance.runtimeId))?.exit;
    if (!exit || exit.code === 0 || this.serving.length > 0) return;
    this.#wakes.failed(exitError(this.name, exit, this.#spec.job), false);
    this.changed();
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
    this.#healing.close();
    this.#wakes.cancel('shutdown');
  }

  changed(): number {
    const { status } = this;
    const resting = status === 'asleep' || status === 'failed' || status === 'completed';
    if (resting) this.#asleepSinceMs ??= this.#tools.clock.now();
    // One that goes from a light sleep to a deeper one has not been awake in between.
    else if (status !== 'draining') this.#asleepSinceMs = undefined;
    if (this.#instances.anyIn('probing')) this.#onStarted.forEach((tell) => tell());
    return this.#tools.publish(this);
  }

  died(instanceId: string, exit: Exit, servedMs: number): Failure | undefined {
    const failure = this.#failures.died(instanceId, exit, servedMs);
    this.changed();
    this.missing();
    return failure;
  }

  explained(failure: Failure | undefined, logTail: readonly string[]): void {
    if (!failure && this.status === 'asleep') this.#events.asleep('error', 'stop');
    const explained = failure && this.#failures.explain(failure, logTail);
    if (!explained) return;
    this.changed();
    if (this.status === 'failed' && this.#spec.scale.min === 0) this.#events.failed(explained);
  }

  adopted(instanceId: string, error?: unknown): void {
    if (error === undefined) {
      this.#failures.served();
      this.changed();
      this.settled();
      return;
    }
    const message = `${instanceId} was found running but does not serve: ${messageOf(error)}`;
    this.#tools.log.warn({ service: this.name, err: error }, message);
    this.#wakes.failed(error, this.serving.length > 0);
    this.changed();
    this.missing();
  }

  missing(): void {
    this.#healing.begin();
  }

  settled(): void {
    this.#replacing.runSoon();
  }

  /** All, but of those that are idle only what the service can do without. */
  #leaving(reason: StopReason): readonly Instance[] {
    const staying = reason === 'idle' ? this.serving.slice(0, this.#spec.scale.min) : [];
    return this.instances.filter((instance) => !staying.includes(instance));
  }
}
