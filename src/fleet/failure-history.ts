import type { Clock } from '../lib/clock.ts';
import type { Failure } from '../seam/fleet-view.ts';
import { WakeFailed } from '../seam/wake-failed.ts';
import { CrashLoop, SETTLED_AFTER_MS } from './crash-loop.ts';
import { failureOf } from './failures.ts';
import type { Exit } from './runtime.ts';

/** What says nothing about the service itself: it may be tried again at once. */
const INNOCENT: ReadonlySet<string> = new Set([
  'runtime_unavailable',
  'dependency_failed',
  'start_cancelled',
  'shutting_down',
]);

/** What went wrong with one service lately, and whether it may be tried again already. */
export class FailureHistory {
  readonly #service: string;
  readonly #clock: Clock;
  readonly #crashes: CrashLoop;
  #latest: Failure | undefined;

  constructor(service: string, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#crashes = new CrashLoop(clock);
  }

  /** Why it does not serve; undefined once it has served again. */
  get latest(): Failure | undefined {
    return this.#latest;
  }

  get pauseMs(): number {
    return this.#crashes.pauseMs;
  }

  /** A wake came to nothing. */
  failed(error: unknown): Failure {
    this.#latest = failureOf(this.#service, error, this.#clock);
    if (!INNOCENT.has(this.#latest.code)) this.#crashes.fail();
    return this.#latest;
  }

  /** An instance ended by itself. @returns the failure, unless it ended well */
  died(instanceId: string, exit: Exit, servedMs: number): Failure | undefined {
    if (servedMs < SETTLED_AFTER_MS) this.#crashes.fail();
    else this.#crashes.reset();
    if (exit.code === 0 && !exit.oomKilled) return undefined;
    const detail = exit.oomKilled
      ? `${instanceId} was ended for using more than its memory limit; raise resources.memory`
      : `${instanceId} ended by itself with exit code ${exit.code}; see its log`;
    const code = exit.oomKilled ? 'out_of_memory' : 'instance_exited';
    this.#latest = { code, detail, logTail: [], atEpochMs: this.#clock.epochMs() };
    return this.#latest;
  }

  /** It serves (or the operator has put it to rest): the past no longer explains anything. */
  clear(): void {
    this.#latest = undefined;
  }

  /** It has served for a while, or is another one now: the next failure is the first again. */
  forget(): void {
    this.#latest = undefined;
    this.#crashes.reset();
  }

  /** What those are told who come during the pause of a crash loop; undefined when there is none. */
  pausing(): WakeFailed | undefined {
    const { pauseMs, failures } = this.#crashes;
    if (pauseMs === 0) return undefined;
    const last = this.#latest?.detail ?? 'it ended soon after it started';
    const when = `${this.#service} failed ${failures} times in a row and is tried again in ${Math.ceil(pauseMs / 1000)} s`;
    const now = this.#clock.epochMs();
    return new WakeFailed(this.#service, {
      code: 'crash_loop',
      detail: `${when}. The last time: ${last}`,
      logTail: this.#latest?.logTail ?? [],
      atEpochMs: now,
      retryAtEpochMs: now + pauseMs,
    });
  }
}
