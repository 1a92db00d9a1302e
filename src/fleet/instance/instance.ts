import type { ServiceSpec, SleepTier } from '../../config/service-spec.ts';
import { deferred, type Deferred } from '../../lib/deferred.ts';
import { Lane } from '../../lib/lane.ts';
import { RuntimeError } from '../errors.ts';
import type { StopReason } from '../events.ts';
import { failureOf } from './failures.ts';
import { foundEnded } from './instance-end.ts';
import { InstanceLife } from './instance-life.ts';
import { isServing, type InstanceState } from './instance-state.ts';
import type { InstanceOwner, InstanceTools } from './instance-tools.ts';
import type { InstanceKey, ObservedInstance, Prepared, StartedInstance } from '../runtime.ts';
import { SleepAttempt } from './sleep-attempt.ts';
import { StartAttempt, type StartTimings } from './start-attempt.ts';

/** An idle instance that turns out to be busy is kept; this is how long the data half has to say so. */
const IDLE_DRAIN_MS = 1_000;
const VERIFY_MS = 1_000;

/** One copy of a service: started, made ready, drained and put to sleep, one step after the other. */
export class Instance {
  readonly key: InstanceKey;
  readonly id: string;
  readonly #owner: InstanceOwner;
  readonly #tools: InstanceTools;
  readonly #life: InstanceLife;
  readonly #lane = new Lane();
  #starting: StartAttempt | undefined;
  #sleeping: SleepAttempt | undefined;
  #adoption: Promise<void> = Promise.resolve();
  /** Another process is about to put it to sleep; settled when that is over. */
  #held: { readonly over: Deferred<undefined>; readonly sinceMs: number } | undefined;

  constructor(key: InstanceKey, owner: InstanceOwner, tools: InstanceTools) {
    this.#life = new InstanceLife(key, owner, tools);
    this.key = key;
    this.id = this.#life.id;
    this.#owner = owner;
    this.#tools = tools;
  }

  get state(): InstanceState {
    return this.#life.state;
  }

  /** The try to bring it up that is under way. */
  get starting(): StartAttempt | undefined {
    return this.#starting;
  }

  get runtimeId(): string | undefined {
    return this.#life.runtimeId;
  }

  /** Whether it answers requests, under this handle of the runtime. */
  serves(runtimeId: string): boolean {
    return this.runtimeId === runtimeId && isServing(this.state);
  }

  /** Whether it has an address for each of these ports. */
  answersAt(ports: readonly number[]): boolean {
    const { state } = this;
    return 'endpoints' in state && ports.every((port) => port in state.endpoints);
  }

  /** Whether it rests in a pause, under this handle of the runtime. */
  pauses(runtimeId: string): boolean {
    return this.runtimeId === runtimeId && this.state.kind === 'paused';
  }

  /** Whether it runs because this process has started it. */
  get startedHere(): boolean {
    return this.#life.startedHere;
  }

  /** Whether the latest start of it was somebody else's. */
  get startedElsewhere(): boolean {
    return this.#life.startedElsewhere;
  }

  /** What it was made from; undefined until it has been seen. */
  get configHash(): string | undefined {
    return this.#life.configHash;
  }

  /** Whether it rests in a pause, made from this: it need not be made. */
  isPausedAs(spec: ServiceSpec): boolean {
    const { paused } = this.#life;
    return paused !== undefined && this.#isOf(paused, spec, paused.imageId);
  }

  /** Resolves once it is known whether what was found running serves. */
  get adoption(): Promise<void> {
    return this.#adoption;
  }

  /**
   * Ready when it resolves. One that is leaving because it was idle stays; one that is being stopped is started again.
   * @param spec what was prepared, which the owner's newest may no longer be
   */
  start(spec: ServiceSpec, prepared: Prepared, cancelled: AbortSignal): Promise<StartTimings | undefined> {
    this.#sleeping?.callOff();
    const { runtime, company } = this.#tools;
    return this.#bringUp(
      async (paused) => {
        // What it was doing before may have taken a while.
        cancelled.throwIfAborted();
        this.#life.startedElsewhere = false;
        const kept = paused && this.#isOf(paused, spec, prepared.imageId) ? paused : undefined;
        const started = await this.#createAndStart(spec, prepared, kept).catch(async (error: unknown) => {
          // Another process may have made it anew in between: then its one is started, or runs already.
          if (this.runtimeId === undefined || (await runtime.inspect(this.runtimeId))) throw error;
          return this.#createAndStart(spec, prepared);
        });
        this.#life.startedHere = started.startedNow;
        this.#life.startedElsewhere = !started.startedNow;
        if (started.startedNow && !company.tellsOfStart(false)) this.#life.emit('instance.starting');
        return started;
      },
      'started',
      spec,
    );
  }

  /**
   * Drains, then stops, pauses or removes. With reason `idle` it stays when it turns out to be busy.
   * @param patienceMs how long an idle one may take to drain; the others have the time for draining
   * @returns whether it sleeps now
   */
  sleep(strategy: SleepTier['strategy'], reason: StopReason, patienceMs = IDLE_DRAIN_MS): Promise<boolean> {
    const stopped = new RuntimeError('start_cancelled', `${this.id} was put to sleep (${reason}) while it started`);
    if (reason !== 'idle') this.#starting?.cancel(stopped);
    return this.#lane.run(async () => {
      this.#sleeping = new SleepAttempt(this.#life, { strategy, reason, patienceMs });
      try {
        return (await this.#sleeping.run()) || this.#stay();
      } finally {
        this.#sleeping = undefined;
      }
    });
  }

  /**
   * Another process is about to put it to sleep: it is offered to nobody from here on, and is not started before that is
   * over. One that is being started here is let go of once it has been.
   * @returns the fleet version that shows it
   */
  async hold(): Promise<number> {
    this.#held ??= { over: deferred(), sinceMs: this.#tools.clock.now() };
    if (this.#starting) {
      this.#tools.company.want(this.key);
      await this.#lane.run(() => Promise.resolve());
    }
    return this.#life.change({ type: 'draining' });
  }

  /** The other process is done with it: it is what the runtime shows. */
  async release(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    const { runtime, clock } = this.#tools;
    try {
      const observed = this.runtimeId === undefined ? undefined : await runtime.inspect(this.runtimeId);
      if (observed?.state !== 'running') await this.observe(observed);
      this.#held = undefined;
      if (observed?.state !== 'running') return;
      const sameLife = (observed.upMs ?? Infinity) > clock.now() - held.sinceMs;
      if (this.state.kind !== 'draining') this.#foundRunning(observed);
      else if (!sameLife || this.#life.moved(observed)) this.#adopt(observed);
      else if (!this.#sleeping) this.#life.change({ type: 'drain-cancelled' });
    } catch {
      // The runtime is away: what was there may still be, and who finds that it is not says so.
      this.#held = undefined;
      if (!this.#sleeping) this.#life.change({ type: 'drain-cancelled' });
    } finally {
      held.over.resolve(undefined);
    }
  }

  /** The process that was starting it has ended in the middle: what becomes of it is told here. */
  inherit(): void {
    this.#life.startedElsewhere = false;
    if (this.state.kind === 'ready') this.#life.emit('instance.ready', { reason: 'adopted' });
  }

  /** Compares with what the runtime shows and corrects what we think. */
  async observe(observed: ObservedInstance | undefined): Promise<void> {
    if (observed) this.#life.remember(observed);
    if (this.#starting) await this.#starting.look();
    else if (this.state.kind === 'stopping') return;
    else if (observed?.state === 'running') {
      if (!this.#held) this.#foundRunning(observed);
    } else if (observed?.state === 'paused') this.#life.change({ type: 'paused' });
    else await foundEnded(this.#life, observed, this.#held !== undefined);
  }

  /** The runtime's own verdict on a running instance. */
  healthChanged(healthy: boolean): void {
    const before = this.state.kind;
    const reason = 'its HEALTHCHECK fails';
    this.#life.change(healthy ? { type: 'recovered' } : { type: 'became-unhealthy', reason });
    if (!this.#tools.company.inCharge(this.startedHere)) return;
    if (before === 'ready' && !healthy) this.#life.emit('instance.unhealthy', { reason });
    if (before === 'unhealthy' && healthy) this.#life.emit('instance.ready', { reason: 'recovered' });
  }

  /** Somebody could not reach it: probe once, and if it does not serve, begin again with what the runtime shows. */
  async verify(): Promise<void> {
    if (this.state.kind !== 'ready' || this.runtimeId === undefined) return;
    const observed = await this.#tools.runtime.inspect(this.runtimeId);
    if (observed?.state !== 'running') return this.observe(observed);
    const { ok } = await this.#tools.readiness.check(this.#owner.spec, observed, VERIFY_MS);
    if (!ok || this.#life.moved(observed)) this.#adopt(observed);
  }

  #isOf(observed: ObservedInstance, spec: ServiceSpec, imageId: string): boolean {
    return observed.imageId === imageId && observed.configHash === this.#tools.runtime.configHash(spec);
  }

  /** @param kept one that is paused, and is what would be made: it is not looked at once more */
  async #createAndStart(spec: ServiceSpec, prepared: Prepared, kept?: ObservedInstance): Promise<StartedInstance> {
    const { runtime } = this.#tools;
    const created = kept ?? (await runtime.create(spec, this.key.index, prepared));
    this.#life.remember(created);
    // Where several processes may be thawing it, only the engine knows whose doing it was.
    if (this.#tools.company.tellsOfStart(false)) this.#starting?.resumes(created);
    return runtime.startInstance(created.runtimeId, created);
  }

  /** Takes over one that was found running: it must serve before it counts, but is not started anew. The owner hears the outcome. */
  #adopt(observed: ObservedInstance): void {
    this.#life.startedElsewhere = true;
    this.#life.change({ type: 'starting' });
    this.#adoption = this.#bringUp(() => Promise.resolve(observed), 'adopted', this.#owner.spec).then(
      () => this.#owner.adopted(this.id),
      (error: unknown) => this.#owner.adopted(this.id, error),
    );
  }

  #foundRunning(observed: ObservedInstance): void {
    const known = isServing(this.state) || this.state.kind === 'draining';
    if (!known) this.#life.startedHere = false;
    if (!known || this.#life.moved(observed)) this.#adopt(observed);
  }

  #bringUp(
    begin: (paused?: ObservedInstance) => Promise<ObservedInstance>,
    how: 'started' | 'adopted',
    spec: ServiceSpec,
  ): Promise<StartTimings | undefined> {
    const outcome = deferred<StartTimings | undefined>();
    void this.#lane.run(async () => {
      if (this.#held) this.#tools.company.want(this.key);
      await this.#held?.over.promise;
      if (isServing(this.state)) {
        outcome.resolve(undefined);
        return;
      }
      const attempt = new StartAttempt(spec, this.#tools);
      this.#starting = attempt;
      const { paused } = this.#life;
      const over = how === 'started' ? this.#tools.company.starts(this.key) : undefined;
      this.#life.change({ type: 'starting' });
      // What runs already is not started once more: those who count starts would count it twice.
      if (how === 'started' && this.#tools.company.tellsOfStart(false)) this.#life.emit('instance.starting');
      try {
        const { instance, timings } = await attempt
          .run(
            () => begin(paused),
            () => this.#life.change({ type: 'started' }),
          )
          .finally(over);
        this.#broughtUp(instance, timings, how);
        outcome.resolve(timings);
      } catch (error) {
        const failure = failureOf(this.id, error, this.#tools.clock);
        this.#life.change(failure.code === 'start_cancelled' ? { type: 'stopped' } : { type: 'failed', failure });
        // Those who wait hear of it at once; whoever does not serve may take long to stop.
        outcome.reject(error as RuntimeError);
        await attempt.clear();
      } finally {
        this.#starting = undefined;
      }
    });
    return outcome.promise;
  }

  #broughtUp(instance: ObservedInstance, timings: StartTimings, how: 'started' | 'adopted'): void {
    this.#life.remember(instance);
    if (this.#owner.spec.job) {
      this.#life.change({ type: 'completed' });
      return;
    }
    this.#life.serves(instance);
    const [startMs, readyMs] = [Math.round(timings.startMs), Math.round(timings.readyMs)];
    const data = how === 'started' ? { startMs, readyMs } : { reason: 'adopted', readyMs };
    if (this.#tools.company.tellsOfStart(!this.startedElsewhere)) this.#life.emit('instance.ready', data);
  }

  #stay(): false {
    // Whoever needs it has not been counted yet: without a new start of the idle time it would be drained again at once.
    if (this.state.kind === 'draining') this.#tools.activity.begin(this.key.service, this.id);
    if (!this.#held) this.#life.change({ type: 'drain-cancelled' });
    return false;
  }
}
