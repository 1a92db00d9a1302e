import { Backoff } from '../../lib/backoff.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Failure } from '../../seam/fleet-view.ts';
import { WakeFailed } from '../../seam/wake-failed.ts';
import { CrashLoop, SETTLED_AFTER_MS } from './crash-loop.ts';
import { deathOf } from '../instance/death.ts';
import { failureOf } from '../instance/failures.ts';
import type { Exit } from '../runtime.ts';

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
  /** Also what says nothing about the service is not tried again in every moment by nobody's wish. */
  readonly #heals = new Backoff({ initialMs: 200, maxMs: 60_000 });
  #latest: Failure | undefined;
  #settling: Timer | undefined;

  constructor(service: string, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#crashes = new CrashLoop(clock);
  }

  /** Why it does not serve; undefined once it has served again. */
  get latest(): Failure | undefined {
    return this.#latest;
  }

  /** How long to wait before the next try that nobody asked for, in milliseconds; longer each time. */
  nextHealMs(): number {
    return Math.max(this.#heals.fail(), this.#crashes.pauseMs);
  }

  /** A wake came to nothing. That it was called off explains nothing later. */
  failed(error: unknown): Failure {
    const failure = failureOf(this.#service, error, this.#clock);
    if (failure.code === 'start_cancelled') return failure;
    this.#settling?.cancel();
    this.#latest = failure;
    if (!INNOCENT.has(failure.code)) this.#crashes.fail();
    return failure;
  }

  /** An instance ended by itself. @returns the failure, unless it ended well */
  died(instanceId: string, exit: Exit, servedMs: number): Failure | undefined {
    this.#settling?.cancel();
    if (servedMs < SETTLED_AFTER_MS) this.#crashes.fail();
    else this.#crashes.reset();
    if (exit.code === 0 && !exit.oomKilled) return undefined;
    const { code, detail } = deathOf(instanceId, exit);
    this.#latest = { code, detail, logTail: [], atEpochMs: this.#clock.epochMs() };
    return this.#latest;
  }

  /** Adds to a death what the instance wrote last. @returns undefined when something newer explains more */
  explain(failure: Failure, logTail: readonly string[]): Failure | undefined {
    if (this.#latest !== failure) return undefined;
    this.#latest = { ...failure, logTail };
    return this.#latest;
  }

  /** It serves: the past no longer explains anything, and once it has gone well for a while it no longer counts. */
  served(): void {
    this.clear();
    this.#settling = this.#clock.after(SETTLED_AFTER_MS, () => this.forget());
  }

  /** The operator has put it to rest, which is explanation enough. */
  clear(): void {
    this.#settling?.cancel();
    this.#latest = undefined;
  }

  /** It has proved that it can serve, or is another one now: the next failure is the first again. */
  forget(): void {
    this.clear();
    this.#crashes.reset();
    this.#heals.reset();
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
      retryAtEpochMs: Math.ceil(now + pauseMs),
    });
  }
}
