import type { Lease } from '../../fleet/state-store.ts';
import type { Clock } from '../../lib/clock.ts';

interface Entry {
  readonly holder: string;
  readonly term: number;
  readonly expiresMs: number;
}

/**
 * The leases of a store that one process at a time has open. In memory: with the process that held the file its leases
 * have ended too.
 */
export class LeaseBook {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  claim(name: string, holder: string, ttlMs: number): Lease {
    const nowMs = this.#clock.now();
    const known = this.#entries.get(name);
    const taken = known !== undefined && known.holder !== holder && known.expiresMs > nowMs;
    const term = known?.holder === holder ? known.term : (known?.term ?? 0) + 1;
    const entry = taken ? known : { holder, term, expiresMs: nowMs + ttlMs };
    this.#entries.set(name, entry);
    return { holder: entry.holder, term: entry.term, remainingMs: entry.expiresMs - nowMs };
  }

  release(name: string, holder: string): void {
    const known = this.#entries.get(name);
    // The term stays known, so that it grows.
    if (known?.holder === holder) this.#entries.set(name, { ...known, holder: '', expiresMs: 0 });
  }
}
