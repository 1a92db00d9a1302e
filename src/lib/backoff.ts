export interface BackoffOptions {
  /** The delay before the second try, in milliseconds. */
  readonly initialMs: number;
  readonly maxMs: number;
  /** A random number in [0, 1); half of each delay is random so that many waiters do not return together. */
  readonly random?: () => number;
}

/** Exponential delays with jitter: 50 to 100 % of initial × 2^n, never above the maximum. */
export class Backoff {
  #failures = 0;
  readonly #options: BackoffOptions;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How many failures in a row have been counted. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and returns the delay in milliseconds before the next try. */
  fail(): number {
    const { initialMs, maxMs, random = Math.random } = this.#options;
    const ceiling = Math.min(maxMs, initialMs * 2 ** this.#failures);
    this.#failures += 1;
    return ceiling * (0.5 + random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
