import type { Clock, Timer } from './clock.ts';

/** Ticks at a steady pace and tells how late each tick came: so long was the event loop kept from doing anything else. */
export class Lateness {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #onTick: (lateMs: number) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, everyMs: number, onTick: (lateMs: number) => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#onTick = onTick;
  }

  start(): void {
    const dueMs = this.#clock.now() + this.#everyMs;
    this.#timer = this.#clock.after(this.#everyMs, () => {
      const lateMs = Math.max(0, this.#clock.now() - dueMs);
      this.start();
      this.#onTick(lateMs);
    });
  }

  close(): void {
    this.#timer?.cancel();
  }
}
