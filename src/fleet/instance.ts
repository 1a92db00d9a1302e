import type { ServiceSpec, SleepTier } from '../config/service-spec.ts';
import { deferred, type Deferred } from '../lib/deferred.ts';
import { Lane } from '../lib/lane.ts';
import type { Failure } from '../seam/fleet-view.ts';
import type { ActivityBoard } from './activity-board.ts';
import type { Company } from './company.ts';
import type { Departure } from './departures.ts';
import { waitUntilDrained } from './drain.ts';
import { deathOf } from './death.ts';
import { RuntimeError } from './errors.ts';
import type { EventBus } from './event-bus.ts';
import type { EventType, StopReason } from './events.ts';
import { failureOf, logTailOf } from './failures.ts';
import { isServing, restsIn, transition, type InstanceChange, type InstanceState } from './instance-state.ts';
import { GONE_AFTER_MS } from './neighbours.ts';
import { instanceId, type Exit, type InstanceKey, type ObservedInstance, type Prepared } from './runtime.ts';
import { StartAttempt, type StartTimings, type StartTools } from './start-attempt.ts';

export interface InstanceTools extends StartTools {
  readonly activity: ActivityBoard;
  readonly bus: EventBus;
  /** The other processes that may use it, stop it, start it. */
  readonly company: Pick<Company, 'inCharge' | 'confirm' | 'tellsOfStart' | 'depart' | 'want'>;
  /** How long a request may go on after its instance was told to leave. */
  readonly drainTimeoutMs: () => number;
}

/** Whose copy it is, and who is told. */
export interface InstanceOwner {
  readonly spec: ServiceSpec;
  /** The state changed; returns the fleet version that shows it. */
  changed(): number;
  /** It ended without having been asked to, after it had served for so long. Returns the failure, unless it ended well. */
  died(instance: Instance, exit: Exit, servedMs: number): Failure | undefined;
  /** What it wrote before it ended is known now; with what `died` has returned. */
  explained(failure: Failure | undefined, logTail: readonly string[]): void;
  /** One that was found running serves now; or it does not, for this reason. */
  adopted(instance: Instance, error?: unknown): void;
}

/** An idle instance that turns out to be busy is kept; this is how long the data half has to say so. */
const IDLE_DRAIN_MS = 1_000;
/** One of the other processes that has said nothing for so long has ended. */
const IDLE_LET_GO_MS = GONE_AFTER_MS + 4_000;
const VERIFY_MS = 1_000;

/** One copy of a service: started, made ready, drained and put to sleep, one step after the other. */
export class Instance {
  readonly key: InstanceKey;
  readonly id: string;
  readonly #owner: InstanceOwner;
  readonly #tools: InstanceTools;
  readonly #lane = new Lane();
  #state: InstanceState;
  #runtimeId: string | undefined;
  #configHash: string | undefined;
  /** Monotonic. */
  #servesSinceMs = 0;
  #attempt: StartAttempt | undefined;
  #adoption: Promise<void> = Promise.resolve();
  #startedHere = false;
  #startedElsewhere = false;
  /** Takes back the drain of an idle instance. */
  #idleDrain: AbortController | undefined;
  /** It is being put to sleep here. */
  #leaving = false;
  /** Another process is about to put it to sleep; settled when that is over. */
  #held: { readonly over: Deferred<undefined>; readonly sinceMs: number } | undefined;

  constructor(key: InstanceKey, owner: InstanceOwner, tools: InstanceTools) {
    this.key = key;
    this.id = instanceId(key);
    this.#owner = owner;
    this.#tools = tools;
    this.#state = { kind: 'absent', since: tools.clock.epochMs() };
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** The try to bring it up that is under way. */
  get starting(): StartAttempt | undefined {
    return this.#attempt;
  }

  get runtimeId(): string | undefined {
    return this.#runtimeId;
  }

  /** Whether it runs because this process has started it. */
  get startedHere(): boolean {
    return this.#startedHere;
  }

  /** Whether the latest start of it was somebody else's. */
  get startedElsewhere(): boolean {
    return this.#startedElsewhere;
  }

  /** What it was made from; undefined until it has been seen. */
  get configHash(): string | undefined {
    return this.#configHash;
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
    this.#idleDrain?.abort();
    const { runtime, company } = this.#tools;
    return this.#bringUp(async () => {
      // What it was doing before may have taken a while.
      cancelled.throwIfAborted();
      this.#startedElsewhere = false;
      const created = await runtime.create(spec, this.key.index, prepared);
      this.#remember(created);
      const started = await runtime.startInstance(created.runtimeId, created);
      this.#startedHere = started.startedNow;
      this.#startedElsewhere = !started.startedNow;
      if (started.startedNow && !company.tellsOfStart(false)) this.#emit('instance.starting');
      return started;
    }, 'started');
  }

  /** Takes over one that was found running: it must serve before it counts, but is not started anew. The owner hears the outcome. */
  #adopt(observed: ObservedInstance): void {
    this.#startedElsewhere = true;
    this.#change({ type: 'starting' });
    this.#adoption = this.#bringUp(() => Promise.resolve(observed), 'adopted').then(
      () => this.#owner.adopted(this),
      (error: unknown) => this.#owner.adopted(this, error),
    );
  }

  /**
   * Drains, then stops, pauses or removes. With reason `idle` it stays when it turns out to be busy.
   * @param patienceMs how long an idle one may take to drain; the others have the time for draining
   * @returns whether it sleeps now
   */
  sleep(strategy: SleepTier['strategy'], reason: StopReason, patienceMs = IDLE_DRAIN_MS): Promise<boolean> {
    const stopped = new RuntimeError('start_cancelled', `${this.id} was put to sleep (${reason}) while it started`);
    if (reason !== 'idle') this.#attempt?.cancel(stopped);
    return this.#lane.run(() => this.#leave(strategy, reason, patienceMs));
  }

  /**
   * Another process is about to put it to sleep: it is offered to nobody from here on, and is not started before that is
   * over. One that is being started here is let go of once it has been.
   * @returns the fleet version that shows it
   */
  async hold(): Promise<number> {
    this.#held ??= { over: deferred(), sinceMs: this.#tools.clock.now() };
    if (this.#attempt) {
      this.#tools.company.want(this.key);
      await this.#lane.run(() => Promise.resolve());
    }
    return this.#change({ type: 'draining' });
  }

  /** The other process is done with it: it is what the runtime shows. */
  async release(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    const { runtime, clock } = this.#tools;
    try {
      const observed = this.#runtimeId === undefined ? undefined : await runtime.inspect(this.#runtimeId);
      if (observed?.state !== 'running') await this.observe(observed);
      this.#held = undefined;
      if (observed?.state !== 'running') return;
      const sameLife = (observed.upMs ?? Infinity) > clock.now() - held.sinceMs;
      if (this.#state.kind !== 'draining') this.#foundRunning(observed);
      else if (!sameLife || this.#moved(observed)) this.#adopt(observed);
      else if (!this.#leaving) this.#change({ type: 'drain-cancelled' });
    } catch {
      // The runtime is away: what was there may still be, and who finds that it is not says so.
      this.#held = undefined;
      if (!this.#leaving) this.#change({ type: 'drain-cancelled' });
    } finally {
      held.over.resolve(undefined);
    }
  }

  /** Compares with what the runtime shows and corrects what we think. */
  async observe(observed: ObservedInstance | undefined): Promise<void> {
    if (observed) this.#remember(observed);
    if (this.#attempt) await this.#attempt.look();
    else if (this.#state.kind === 'stopping') return;
    else if (observed?.state === 'running') {
      if (!this.#held) this.#foundRunning(observed);
    } else if (observed?.state === 'paused') this.#change({ type: 'paused' });
    else await this.#foundEnded(observed);
  }

  /** The runtime's own verdict on a running instance. */
  healthChanged(healthy: boolean): void {
    const before = this.#state.kind;
    const reason = 'its HEALTHCHECK fails';
    this.#change(healthy ? { type: 'recovered' } : { type: 'became-unhealthy', reason });
    if (!this.#tools.company.inCharge(this.#startedHere)) return;
    if (before === 'ready' && !healthy) this.#emit('instance.unhealthy', { reason });
    if (before === 'unhealthy' && healthy) this.#emit('instance.ready', { reason: 'recovered' });
  }

  /** Somebody could not reach it: probe once, and if it does not serve, begin again with what the runtime shows. */
  async verify(): Promise<void> {
    if (this.#state.kind !== 'ready' || this.#runtimeId === undefined) return;
    const observed = await this.#tools.runtime.inspect(this.#runtimeId);
    if (observed?.state !== 'running') return this.observe(observed);
    const { ok } = await this.#tools.readiness.check(this.#owner.spec, observed, VERIFY_MS);
    if (!ok || this.#moved(observed)) this.#adopt(observed);
  }

  #bringUp(begin: () => Promise<ObservedInstance>, how: 'started' | 'adopted'): Promise<StartTimings | undefined> {
    const outcome = deferred<StartTimings | undefined>();
    void this.#lane.run(async () => {
      if (this.#held) this.#tools.company.want(this.key);
      await this.#held?.over.promise;
      if (isServing(this.#state)) {
        outcome.resolve(undefined);
        return;
      }
      const attempt = new StartAttempt(this.#owner.spec, this.#tools);
      this.#attempt = attempt;
      this.#change({ type: 'starting' });
      // What runs already is not started once more: those who count starts would count it twice.
      if (how === 'started' && this.#tools.company.tellsOfStart(false)) this.#emit('instance.starting');
      try {
        const { instance, timings } = await attempt.run(begin, () => this.#change({ type: 'started' }));
        this.#serves(instance, timings, how);
        outcome.resolve(timings);
      } catch (error) {
        const failure = failureOf(this.id, error, this.#tools.clock);
        this.#change(failure.code === 'start_cancelled' ? { type: 'stopped' } : { type: 'failed', failure });
        // Those who wait hear of it at once; whoever does not serve may take long to stop.
        outcome.reject(error as RuntimeError);
        await attempt.clear();
      } finally {
        this.#attempt = undefined;
      }
    });
    return outcome.promise;
  }

  #foundRunning(observed: ObservedInstance): void {
    const known = isServing(this.#state) || this.#state.kind === 'draining';
    if (!known) this.#startedHere = false;
    if (!known || this.#moved(observed)) this.#adopt(observed);
  }

  async #foundEnded(observed: ObservedInstance | undefined): Promise<void> {
    const { kind } = this.#state;
    const exit = observed?.exit ?? { code: 0, oomKilled: false };
    const served = isServing(this.#state) || kind === 'draining';
    // If another process decides about it, that one may have stopped it, and looks after it if not.
    const stoppedElsewhere = this.#held !== undefined || !this.#tools.company.inCharge(this.#startedHere);
    if (served && !stoppedElsewhere) await this.#died(exit);
    else if (this.#owner.spec.job && observed?.exit?.code === 0) this.#change({ type: 'completed' });
    else if (kind !== 'failed') this.#change({ type: observed ? 'stopped' : 'removed' });
    if (served) this.#tools.activity.forget(this.key.service, this.id);
    if (!observed) this.#runtimeId = undefined;
  }

  #serves(instance: ObservedInstance, timings: StartTimings, how: 'started' | 'adopted'): void {
    this.#remember(instance);
    this.#servesSinceMs = this.#tools.clock.now();
    if (this.#owner.spec.job) {
      this.#change({ type: 'completed' });
      return;
    }
    this.#tools.activity.begin(this.key.service, this.id);
    this.#change({ type: 'became-ready', endpoints: instance.endpoints });
    const [startMs, readyMs] = [Math.round(timings.startMs), Math.round(timings.readyMs)];
    const data = how === 'started' ? { startMs, readyMs } : { reason: 'adopted', readyMs };
    if (this.#tools.company.tellsOfStart(how === 'started' && this.#startedHere)) this.#emit('instance.ready', data);
  }

  /** @returns false when it stays: somebody needs it after all, or this process does not decide about it any more */
  async #leave(strategy: SleepTier['strategy'], reason: StopReason, patienceMs: number): Promise<boolean> {
    if (this.#runtimeId === undefined || restsIn(this.#state, strategy)) return true;
    const cancel = new AbortController();
    const idle = reason === 'idle';
    if (idle) this.#idleDrain = cancel;
    this.#leaving = true;
    const departure = this.#tools.company.depart(this.key, () => {
      if (idle) cancel.abort();
    });
    try {
      const empty = await this.#empty(departure, idle, patienceMs, cancel.signal);
      // What an operator asks for is done by whoever he asks; all else by the process that decides about it, now.
      const leaves = empty && (reason === 'operator' || (await this.#tools.company.confirm(this.#startedHere)));
      this.#idleDrain = undefined;
      if (!leaves || cancel.signal.aborted) return this.#stay();
      return await this.#rest(strategy, reason);
    } finally {
      this.#leaving = false;
      departure.end();
    }
  }

  /** @returns whether nothing uses it any more; one that is not idle has to leave all the same when its time is up */
  async #empty(departure: Departure, idle: boolean, patienceMs: number, signal: AbortSignal): Promise<boolean> {
    const { activity, clock, drainTimeoutMs } = this.#tools;
    const serves = isServing(this.#state);
    const version = serves ? this.#change({ type: 'draining' }) : 0;
    const endMs = clock.now() + drainTimeoutMs();
    const letGo = await departure.untilLetGo(idle ? IDLE_LET_GO_MS : drainTimeoutMs(), signal);
    if (!serves || (idle && !letGo)) return letGo || !idle;
    const timeoutMs = idle ? patienceMs : Math.max(0, endMs - clock.now());
    const options = { service: this.key.service, instanceId: this.id, version, timeoutMs, signal };
    return (await waitUntilDrained(activity, clock, options)) || !idle;
  }

  #stay(): false {
    // Whoever needs it has not been counted yet: without a new start of the idle time it would be drained again at once.
    if (this.#state.kind === 'draining') this.#tools.activity.begin(this.key.service, this.id);
    if (!this.#held) this.#change({ type: 'drain-cancelled' });
    return false;
  }

  async #rest(strategy: SleepTier['strategy'], reason: StopReason): Promise<boolean> {
    const { runtime, activity, stopGraceMs } = this.#tools;
    if (this.#runtimeId === undefined) return true;
    this.#change({ type: 'stopping' });
    try {
      if (strategy === 'pause') await runtime.pauseInstance(this.#runtimeId);
      else await runtime.stopInstance(this.#runtimeId, stopGraceMs);
      if (strategy === 'remove') await runtime.removeInstance(this.#runtimeId);
    } finally {
      // Should it still run because the runtime was away, the next reconcile finds it and adopts it.
      this.#change({ type: AT_REST[strategy] });
    }
    activity.forget(this.key.service, this.id);
    if (strategy === 'remove') this.#runtimeId = undefined;
    this.#emit('instance.stopped', { reason, strategy });
    return true;
  }

  async #died(exit: Exit): Promise<void> {
    const { activity, runtime, clock } = this.#tools;
    const runtimeId = this.#runtimeId;
    const servedMs = clock.now() - this.#servesSinceMs;
    this.#change({ type: 'died' });
    // The data half, told just now, has reported it once more.
    activity.forget(this.key.service, this.id);
    const failure = this.#owner.died(this, exit, servedMs);
    const logTail = runtimeId === undefined ? [] : await logTailOf(runtime, runtimeId, clock);
    const data = { ...deathOf(this.id, exit), exitCode: exit.code, oomKilled: exit.oomKilled, logTail };
    if (exit.oomKilled) this.#emit('instance.oom', data);
    this.#emit('instance.died', data);
    this.#owner.explained(failure, logTail);
  }

  #moved(observed: ObservedInstance): boolean {
    return 'endpoints' in this.#state && JSON.stringify(observed.endpoints) !== JSON.stringify(this.#state.endpoints);
  }

  #remember({ runtimeId, configHash }: ObservedInstance): void {
    this.#runtimeId = runtimeId;
    this.#configHash = configHash;
  }

  #change(change: InstanceChange): number {
    this.#state = transition(this.#state, change, this.#tools.clock.epochMs());
    return this.#owner.changed();
  }

  #emit(type: EventType, data: Record<string, unknown> = {}): void {
    this.#tools.bus.emit(type, this.key.service, data, this.id);
  }
}

const AT_REST = { pause: 'paused', stop: 'stopped', remove: 'removed' } as const;
