import type { Clock, Timer } from '../lib/clock.ts';
import type { ControlLink, SessionReport } from '../seam/control-link.ts';

/** A client that comes again and again is told of once in so many milliseconds. */
const REPORT_EVERY_MS = 5_000;
/** Whoever does not fit is told of with a later request. */
const MAX_SESSIONS = 10_000;

/** Gathers which clients were seen at which instance, so that no request waits for its being told. */
export class SessionBoard {
  readonly #clock: Clock;
  readonly #link: Pick<ControlLink, 'reportSessions'>;
  readonly #seen = new Map<string, SessionReport>();
  #timer: Timer | undefined;

  constructor(clock: Clock, link: Pick<ControlLink, 'reportSessions'>) {
    this.#clock = clock;
    this.#link = link;
  }

  see(session: SessionReport): void {
    if (this.#seen.size >= MAX_SESSIONS && !this.#seen.has(session.id)) return;
    this.#seen.set(session.id, session);
    this.#timer ??= this.#clock.after(REPORT_EVERY_MS, () => this.flush());
  }

  /** Tells what there is now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#seen.size === 0) return;
    const reports = [...this.#seen.values()];
    this.#seen.clear();
    this.#link.reportSessions(reports);
  }
}
