import type { Clock, Timer } from '../lib/clock.ts';
import type { ActivityReport } from '../seam/control-link.ts';

interface Waiting {
  last: ActivityReport;
  /** The busiest report since the last flush, if it says more than the last one. */
  peak: ActivityReport | undefined;
}

/** Reports of one instance may come with every request; over a socket so many are told together. */
const FLUSH_AFTER_MS = 50;

/** Gathers activity reports. What was busy in between and is idle again is still told as having been busy. */
export class ActivityBatch {
  readonly #clock: Clock;
  readonly #send: (reports: readonly ActivityReport[]) => void;
  readonly #waiting = new Map<string, Waiting>();
  #timer: Timer | undefined;

  constructor(clock: Clock, send: (reports: readonly ActivityReport[]) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  add(report: ActivityReport): void {
    const key = `${report.service}\n${report.instanceId}`;
    const waiting = this.#waiting.get(key);
    if (!waiting) this.#waiting.set(key, { last: report, peak: undefined });
    else {
      if (waiting.last.inFlight > 0) waiting.peak = waiting.last;
      waiting.last = report;
    }
    this.#timer ??= this.#clock.after(FLUSH_AFTER_MS, () => this.flush());
  }

  /** Sends what there is now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const reports = [...this.#waiting.values()].flatMap(({ peak, last }) =>
      peak && last.inFlight === 0 ? [peak, last] : [last],
    );
    this.#waiting.clear();
    this.#send(reports);
  }

  /** What was to be told is of no use any more. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting.clear();
  }
}
