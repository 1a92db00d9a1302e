import type { Clock } from '../lib/clock.ts';
import { Lateness } from '../lib/lateness.ts';
import type { ControlLink } from '../seam/control-link.ts';
import { MAX_COUNTS, type TrafficReport } from '../seam/traffic-report.ts';
import type { TrafficTally } from './traffic-tally.ts';

const TELL_EVERY_MS = 1_000;

/** Hands up once a second what the tally has counted. While the last report waits for the control half, the tally goes on. */
export class TrafficTeller {
  readonly #tally: TrafficTally;
  readonly #link: Pick<ControlLink, 'reportTraffic'>;
  readonly #lateness: Lateness;
  #lagSeconds = 0;
  #telling = false;

  constructor(tally: TrafficTally, clock: Clock, link: Pick<ControlLink, 'reportTraffic'>) {
    this.#tally = tally;
    this.#link = link;
    this.#lateness = new Lateness(clock, TELL_EVERY_MS, (lateMs) => {
      this.#lagSeconds = lateMs / 1000;
      if (!this.#telling) void this.#tell();
    });
  }

  start(): void {
    this.#lateness.start();
  }

  /** Tells the rest. */
  close(): void {
    this.#lateness.close();
    void this.#tell();
  }

  async #tell(): Promise<void> {
    this.#telling = true;
    const { requests, incidents } = this.#tally.take();
    const reports: TrafficReport[] = [];
    let from = 0;
    do {
      const part = {
        requests: requests.slice(from, from + MAX_COUNTS),
        incidents: incidents.slice(from, from + MAX_COUNTS),
      };
      reports.push({ pid: process.pid, lagSeconds: this.#lagSeconds, ...part });
      from += MAX_COUNTS;
    } while (from < Math.max(requests.length, incidents.length));
    await Promise.all(reports.map((report) => this.#link.reportTraffic(report)));
    this.#telling = false;
  }
}
