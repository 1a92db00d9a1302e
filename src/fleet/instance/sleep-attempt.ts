import type { SleepTier } from '../../config/service-spec.ts';
import type { Departure } from '../company/departures.ts';
import { waitUntilDrained } from './drain.ts';
import type { StopReason } from '../events.ts';
import type { InstanceLife } from './instance-life.ts';
import { isServing, restsIn } from './instance-state.ts';
import { GONE_AFTER_MS } from '../company/neighbours.ts';

export interface SleepPlan {
  readonly strategy: SleepTier['strategy'];
  readonly reason: StopReason;
  /** How long an idle one may take to drain; the others have the time for draining. */
  readonly patienceMs: number;
  /** An idle one stays when it has been used since: that may be told only while it drains. */
  readonly staysIfUsed: boolean;
}

/** One of the other processes that has said nothing for so long has ended. */
const IDLE_LET_GO_MS = GONE_AFTER_MS + 4_000;
const AT_REST = { pause: 'paused', stop: 'stopped', remove: 'removed' } as const;

/** One try to put an instance to sleep: taken from every data half, drained, then stopped, paused or removed. Use once. */
export class SleepAttempt {
  readonly #life: InstanceLife;
  readonly #plan: SleepPlan;
  readonly #calledOff = new AbortController();

  constructor(life: InstanceLife, plan: SleepPlan) {
    this.#life = life;
    this.#plan = plan;
  }

  get #idle(): boolean {
    return this.#plan.reason === 'idle';
  }

  /** Somebody needs it: one that leaves only because it was idle stays, unless it is being stopped already. */
  callOff(): void {
    if (this.#idle) this.#calledOff.abort();
  }

  /** @returns false when it stays: somebody needs it after all, or this process does not decide about it any more */
  async run(): Promise<boolean> {
    const { company } = this.#life.tools;
    if (this.#life.runtimeId === undefined || restsIn(this.#life.state, this.#plan.strategy)) return true;
    const departure = company.depart(this.#life.key, () => this.callOff());
    try {
      const empty = await this.#empty(departure);
      // What an operator asks for is done by whoever he asks; all else by the process that decides about it, now.
      const operator = this.#plan.reason === 'operator';
      const leaves = empty && (operator || (await company.confirm(this.#life.startedHere, this.#idle)));
      if (!leaves || this.#calledOff.signal.aborted) return false;
      await this.#rest();
      return true;
    } finally {
      departure.end();
    }
  }

  /** @returns whether nothing uses it any more; one that is not idle has to leave all the same when its time is up */
  async #empty(departure: Departure): Promise<boolean> {
    const { key, id, state, tools } = this.#life;
    const { activity, clock, drainTimeoutMs } = tools;
    const { signal } = this.#calledOff;
    const serves = isServing(state);
    const busyMs = activity.lastBusyMs(key.service, id);
    const version = serves ? this.#life.change({ type: 'draining' }) : 0;
    const endMs = clock.now() + drainTimeoutMs();
    const letGoMs = this.#idle ? IDLE_LET_GO_MS : drainTimeoutMs();
    const letGo = await departure.untilLetGo(letGoMs, !this.#idle, signal);
    if (!serves || (this.#idle && !letGo)) return letGo || !this.#idle;
    const timeoutMs = this.#idle ? this.#plan.patienceMs : Math.max(0, endMs - clock.now());
    const options = { service: key.service, instanceId: id, version, timeoutMs, signal };
    const drained = await waitUntilDrained(activity, clock, options);
    const used = this.#plan.staysIfUsed && activity.lastBusyMs(key.service, id) !== busyMs;
    return (drained && !used) || !this.#idle;
  }

  async #rest(): Promise<void> {
    const { strategy, reason } = this.#plan;
    const { runtimeId, tools } = this.#life;
    const { runtime, activity, stopGraceMs } = tools;
    if (runtimeId === undefined) return;
    this.#life.change({ type: 'stopping' });
    try {
      if (strategy === 'pause') await runtime.pauseInstance(runtimeId);
      else await runtime.stopInstance(runtimeId, stopGraceMs);
      if (strategy === 'remove') await runtime.removeInstance(runtimeId);
    } finally {
      // Should it still run because the runtime was away, the next reconcile finds it and adopts it.
      this.#life.change({ type: AT_REST[strategy] });
    }
    activity.forget(this.#life.key.service, this.#life.id);
    if (strategy === 'remove') this.#life.removed();
    this.#life.emit('instance.stopped', { reason, strategy });
  }
}
