import type { ServiceSpec, SleepTier } from '../../config/service-spec.ts';
import { deferred, type Deferred } from '../../lib/deferred.ts';
import { Lane } from '../../lib/lane.ts';
import { BringUp } from './bring-up.ts';
import { RuntimeError } from '../errors.ts';
import type { StopReason } from '../events.ts';
import { foundEnded } from './instance-end.ts';
import { InstanceLife } from './instance-life.ts';
import { isServing, type InstanceState } from './instance-state.ts';
import type { InstanceOwner, InstanceTools } from './instance-tools.ts';
import type { InstanceKey, ObservedInstance, Prepared } from '../runtime.ts';
import { SleepAttempt } from './sleep-attempt.ts';
import type { StartAttempt, StartTimings } from './start-attempt.ts';

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
  readonly #bringUp: BringUp;
  #sleeping: SleepAttempt | undefined;
  /** Another process is about to put it to sleep; settled when that is over. */
  #held: { readonly over: Deferred<undefined>; readonly sinceMs: number } | undefined;

  constructor(key: InstanceKey, owner: InstanceOwner, tools: InstanceTools) {
    this.#life = new InstanceLife(key, owner, tools);
    this.key = key;
    this.id = this.#life.id;
    this.#owner = owner;
    this.#tools = tools;
    this.#bringUp = new BringUp(this.#life, this.#lane, () => this.#released());
  }

  get state(): InstanceState {
    return this.#life.state;
  }

  /** The try to bring it up that is under way. */
  get starting(): StartAttempt | undefined {
    return this.#bringUp.attempt;
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

  /** Whether it is to have an address, under this handle of the runtime: it serves, begins to, or rests in a pause. */
  isUp(runtimeId: string): boolean {
    const up = isServing(this.state) || this.state.kind === 'paused' || this.starting !== undefined;
    return this.runtimeId === runtimeId && up;
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
    return paused !== undefined && this.#life.isMadeFrom(paused, spec, paused.imageId);
  }

  /** Resolves once it is known whether what was found running serves. */
  get adoption(): Promise<void> {
    return this.#bringUp.adoption;
  }

  /**
   * Ready when it resolves. One that is leaving because it was idle stays; one that is being stopped is started again.
   * @param spec what was prepared, which the owner's newest may no longer be
   */
  start(spec: ServiceSpec, prepared: Prepared, cancelled: AbortSignal): Promise<StartTimings | undefined> {
    this.#sleeping?.callOff();
    return this.#bringUp.start(spec, prepared, cancelled);
  }

  /**
   * Drains, then stops, pauses or removes. With reason `idle` it stays when it turns out to be busy.
   * @param patienceMs how long an idle one may take to drain that is one too many; without it one that somebody has used
   *   meanwhile stays
   * @returns whether it sleeps now
   */
  sleep(strategy: SleepTier['strategy'], reason: StopReason, patienceMs?: number): Promise<boolean> {
    const stopped = new RuntimeError('start_cancelled', `${this.id} was put to sleep (${reason}) while it started`);
    if (reason !== 'idle') this.starting?.cancel(stopped);
    return this.#lane.run(async () => {
      const patience = { patienceMs: patienceMs ?? IDLE_DRAIN_MS, staysIfUsed: patienceMs === undefined };
      this.#sleeping = new SleepAttempt(this.#life, { strategy, reason, ...patience });
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
    if (this.starting) {
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
      else if (!sameLife || this.#life.moved(observed)) this.#bringUp.adopt(observed);
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
    if (this.starting) await this.starting.look();
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
    if (!ok || this.#life.moved(observed)) this.#bringUp.adopt(observed);
  }

  /** Resolves once no other process is putting it to sleep; says that it is wanted. */
  async #released(): Promise<void> {
    if (!this.#held) return;
    this.#tools.company.want(this.key);
    await this.#held.over.promise;
  }

  #foundRunning(observed: ObservedInstance): void {
    const known = isServing(this.state) || this.state.kind === 'draining';
    if (!known) this.#life.startedHere = false;
    if (!known || this.#life.moved(observed)) this.#bringUp.adopt(observed);
  }

  #stay(): false {
    // Whoever needs it has not been counted yet: without a new start of the idle time it would be drained again at once.
    if (this.state.kind === 'draining') this.#tools.activity.begin(this.key.service, this.id);
    if (!this.#held) this.#life.change({ type: 'drain-cancelled' });
    return false;
  }
}
