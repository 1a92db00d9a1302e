import type { Clock, Timer } from '../../lib/clock.ts';

export interface Ticking {
  /** @param nowMs monotonic milliseconds of the ticker */
  tick(nowMs: number): void;
}

/**
 * One timer for all that waits: everybody who is added is told the time at every tick and looks at deadlines of its own.
 * Moving a deadline then costs an assignment, where a timer for each request would cost an allocation and a heap.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #ticking = new Set<Ticking>();
  #timer: Timer | undefined;
  #nowMs = 0;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** The instant at which `timeoutMs` are over for certain: one interval is added because the time is known that coarsely. */
  deadline(timeoutMs: number): number {
    return this.#nowMs + timeoutMs + this.#intervalMs;
  }

  add(ticking: Ticking): void {
    if (this.#timer === undefined) {
      this.#nowMs = this.#clock.now();
      this.#schedule();
    }
    this.#ticking.add(ticking);
  }

  delete(ticking: Ticking): void {
    this.#ticking.delete(ticking);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#ticking.clear();
  }

  #schedule(): void {
    this.#timer = this.#clock.after(this.#intervalMs, () => this.#tick());
  }

  #tick(): void {
    this.#timer = undefined;
    const late = this.#clock.now() - this.#nowMs > 2 * this.#intervalMs;
    this.#nowMs = this.#clock.now();
    if (this.#ticking.size === 0) return;
    this.#schedule();
    // After a stall of our own, what peers have sent in time still waits to be read: nobody is judged before the next tick.
    if (late) return;
    for (const ticking of this.#ticking) ticking.tick(this.#nowMs);
  }
}
