import { Backoff } from '../../lib/backoff.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';

export interface WriteBehindOptions<T> {
  /** What it writes, for people: `events`. */
  readonly what: string;
  /** Writes all of them; may be called with some of them again when it failed. */
  readonly save: (records: readonly T[]) => Promise<void>;
  /** Records with one key become one record. */
  readonly keyOf: (record: T) => string;
  readonly merge: (older: T, newer: T) => T;
  /** How many records may wait; the oldest go first when there are more. */
  readonly capacity: number;
  /** How long records are gathered before they are written, in milliseconds. */
  readonly afterMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const BATCH = 500;

/** Writes records some time after they were handed over: nobody waits, and what the store does not take now it gets later. */
export class WriteBehind<T> {
  readonly #options: WriteBehindOptions<T>;
  /** In the order they came. */
  readonly #pending = new Map<string, T>();
  readonly #backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #closed = false;

  constructor(options: WriteBehindOptions<T>) {
    this.#options = options;
  }

  /** How many records have been given up since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get pending(): number {
    return this.#pending.size;
  }

  add(record: T): void {
    const { keyOf, merge, capacity, afterMs } = this.#options;
    const key = keyOf(record);
    const older = this.#pending.get(key);
    this.#pending.set(key, older === undefined ? record : merge(older, record));
    if (this.#pending.size > capacity) this.#dropOldest();
    this.#writeIn(afterMs);
  }

  /** Writes what waits now, without the delay: the store is back. */
  writeNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#backoff.reset();
    if (this.#pending.size > 0) this.#writeIn(0);
  }

  /** Tries once more to write what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#writing;
    await this.#writeAll().catch(() => undefined);
  }

  #dropOldest(): void {
    const [oldest] = this.#pending.keys();
    if (oldest === undefined) return;
    this.#pending.delete(oldest);
    this.#dropped += 1;
    const { what, capacity, log } = this.#options;
    // One line for the first, and then for each that many.
    if (this.#dropped % capacity === 1) {
      log.warn(
        { what, dropped: this.#dropped },
        `more than ${capacity} ${what} wait for the store: the oldest are given up`,
      );
    }
  }

  #writeIn(delayMs: number): void {
    if (this.#timer || this.#writing || this.#closed) return;
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#writing = this.#tryToWrite().then((nextMs) => {
        this.#writing = undefined;
        if (this.#pending.size > 0) this.#writeIn(nextMs);
      });
    });
  }

  /** @returns in how many milliseconds to write again */
  async #tryToWrite(): Promise<number> {
    try {
      await this.#writeAll();
      this.#backoff.reset();
      return this.#options.afterMs;
    } catch (error) {
      // The store itself says, once, that it is away.
      this.#options.log.debug({ err: error }, `${this.#options.what} are kept until the store takes them`);
      return this.#backoff.fail();
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = [...this.#pending].slice(0, BATCH);
      await this.#write(batch);
      for (const [key, record] of batch) if (this.#pending.get(key) === record) this.#pending.delete(key);
    }
  }

  /** One that the store can never take must not hold up the others. */
  async #write(batch: readonly (readonly [string, T])[]): Promise<void> {
    const { save, log, what } = this.#options;
    try {
      await save(batch.map(([, record]) => record));
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'record_refused') throw error;
      if (batch.length > 1) {
        for (const each of batch) await this.#write([each]);
        return;
      }
      this.#dropped += 1;
      log.warn({ what }, `one of the ${what} is given up, for the store cannot take it: ${messageOf(error)}`);
    }
  }
}
