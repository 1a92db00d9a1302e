import type { ProcessRecord } from '../../fleet/state-store.ts';
import type { Clock } from '../../lib/clock.ts';

/** The processes that use a store; in memory, for this store is used by one at a time. */
export class ProcessBook {
  readonly #clock: Clock;
  readonly #entries = new Map<string, { readonly record: ProcessRecord; readonly expiresMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(record: ProcessRecord, ttlMs: number): void {
    this.#entries.set(record._id, { record: structuredClone(record), expiresMs: this.#clock.now() + ttlMs });
  }

  list(): ProcessRecord[] {
    const living = [...this.#entries.values()].filter(({ expiresMs }) => expiresMs > this.#clock.now());
    return living.map(({ record }) => structuredClone(record));
  }
}
