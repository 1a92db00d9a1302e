import type { Clock } from '../../lib/clock.ts';
import { Backoff } from '../../lib/backoff.ts';

/** Failures in a row that are each tried again at once; from the next one on there is a pause. */
const FREE_TRIES = 3;
/** An instance that has served for this long was no crash. */
export const SETTLED_AFTER_MS = 10_000;

/** Keeps a service that fails again and again from being started with every request. */
export class CrashLoop {
  readonly #clock: Clock;
  readonly #backoff = new Backoff({ initialMs: 5_000, maxMs: 300_000 });
  #failures = 0;
  #retryAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds until the next try is allowed; 0 when it is allowed now. */
  get pauseMs(): number {
    return Math.max(0, this.#retryAtMs - this.#clock.now());
  }

  fail(): void {
    this.#failures += 1;
    if (this.#failures >= FREE_TRIES) this.#retryAtMs = this.#clock.now() + this.#backoff.fail();
  }

  reset(): void {
    this.#failures = 0;
    this.#retryAtMs = 0;
    this.#backoff.reset();
  }
}
