import { Backoff } from '../../lib/backoff.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Runtime, Usage } from '../runtime.ts';

export interface UsageWatchOptions {
  readonly instanceId: string;
  readonly runtimeId: string;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onReading: (usage: Usage) => void;
  /** The stream has broken: what was read last says nothing about now. */
  readonly onLost: () => void;
}

/** Readings come about once a second; a busy engine takes longer for the first. */
const SILENCE_MS = 15_000;
/** What breaks once is opened anew without a word. */
const TELL_AFTER_FAILURES = 2;
/** The engine, and whoever waits for what has just been started, come first. */
const FIRST_AFTER_MS = 100;

/** Follows the one stream of readings of one running instance, and opens it anew when it breaks or hangs. Use once. */
export class UsageWatch {
  readonly #options: UsageWatchOptions;
  readonly #backoff = new Backoff({ initialMs: 500, maxMs: 15_000 });
  readonly #closing = new AbortController();
  #told = false;
  /** Ends the wait for the next reading. */
  #cut: (() => void) | undefined;

  constructor(options: UsageWatchOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#follow();
  }

  close(): void {
    this.#closing.abort();
    this.#cut?.();
  }

  /** A call, because the compiler takes what it has once seen for its state for ever. */
  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #follow(): Promise<void> {
    await sleep(this.#options.clock, FIRST_AFTER_MS, this.#closing.signal);
    while (!this.#isClosed()) {
      const problem = await this.#read().then(
        () => 'it ended',
        (error: unknown) => messageOf(error),
      );
      if (this.#isClosed()) return;
      this.#options.onLost();
      const delayMs = this.#backoff.fail();
      this.#tell(problem);
      await sleep(this.#options.clock, delayMs, this.#closing.signal);
    }
  }

  /** Resolves when the stream has ended by itself or was cut. */
  async #read(): Promise<void> {
    const { runtime, runtimeId } = this.#options;
    const ending = new AbortController();
    const readings = runtime.usage(runtimeId, ending.signal)[Symbol.asyncIterator]();
    try {
      for (let next = await this.#next(readings); next?.done === false; next = await this.#next(readings)) {
        this.#came(next.value);
      }
    } finally {
      ending.abort();
      // Not awaited: one that hangs would not end either.
      void readings.return?.().catch(() => undefined);
    }
  }

  /** Undefined when it was cut. A promise of its own each time: a lasting one in a race would gather reactions for days. */
  #next(readings: AsyncIterator<Usage>): Promise<IteratorResult<Usage> | undefined> {
    return new Promise((resolve, reject) => {
      const silent = (): void => reject(new Error(`no reading came for ${SILENCE_MS / 1000} s`));
      const timer = this.#options.clock.after(SILENCE_MS, silent);
      this.#cut = () => {
        timer.cancel();
        resolve(undefined);
      };
      if (this.#isClosed()) this.#cut();
      readings
        .next()
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }

  #came(usage: Usage): void {
    if (this.#isClosed()) return;
    this.#backoff.reset();
    if (this.#told) this.#options.log.info(`the use of ${this.#options.instanceId} can be read again`);
    this.#told = false;
    this.#options.onReading(usage);
  }

  /** Once a break. While the runtime is away that is said elsewhere, once for all instances. */
  #tell(problem: string): void {
    const { runtime, instanceId, log } = this.#options;
    if (this.#told || !runtime.condition.up || this.#backoff.failures < TELL_AFTER_FAILURES) return;
    this.#told = true;
    log.warn(`the use of ${instanceId} cannot be read: ${problem}; tried again until it can`);
  }
}
