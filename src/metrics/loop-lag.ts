import type { Clock } from '../lib/clock.ts';
import type { Family, Series } from './family.ts';

interface Told {
  readonly atMs: number;
  readonly lagSeconds: number;
}

/** A scrape every 15 seconds misses no stall. */
const WINDOW_MS = 15_000;

/** How late the event loop of each process came, once a second. A process that says nothing any more is forgotten. */
export class LoopLag {
  readonly #clock: Clock;
  readonly #processes = new Map<string, Told[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(process: string, lagSeconds: number): void {
    const recent = this.#recent(this.#processes.get(process) ?? []);
    recent.push({ atMs: this.#clock.now(), lagSeconds });
    this.#processes.set(process, recent);
  }

  family(): Family {
    return { metric: 'event_loop_lag_seconds', series: this.#series() };
  }

  *#series(): Iterable<Series> {
    for (const [process, told] of this.#processes) {
      const recent = this.#recent(told);
      if (recent.length === 0) this.#processes.delete(process);
      else yield { labels: { process }, value: Math.max(...recent.map(({ lagSeconds }) => lagSeconds)) };
    }
  }

  #recent(told: readonly Told[]): Told[] {
    const sinceMs = this.#clock.now() - WINDOW_MS;
    return told.filter(({ atMs }) => atMs > sinceMs);
  }
}
