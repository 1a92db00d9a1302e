import type { Clock, Timer } from '../lib/clock.ts';
import type { ActivityReport, ControlLink } from '../seam/control-link.ts';
import type { Upstream } from './upstream.ts';

/** Until then an instance may serve many requests; the control half need not hear of each. */
const TELL_AFTER_MS = 50;

/**
 * Tells the control half how busy the instances are. A request only puts its instance on the list of those to be told
 * of, if it is not on that yet.
 */
export class ActivityReports {
  readonly #clock: Clock;
  readonly #link: Pick<ControlLink, 'reportActivity'>;
  readonly #upstreams: Upstream[] = [];
  #timer: Timer | undefined;
  /** Of the fleet, as far as it has been applied here. */
  #version = 0;

  constructor(clock: Clock, link: Pick<ControlLink, 'reportActivity'>) {
    this.#clock = clock;
    this.#link = link;
  }

  /** The count of an instance may have changed: it is told of soon. */
  add(upstream: Upstream): void {
    if (upstream.toBeTold) return;
    upstream.toBeTold = true;
    this.#upstreams.push(upstream);
    this.#timer ??= this.#clock.after(TELL_AFTER_MS, () => this.flush());
  }

  /** A version of the fleet is applied, and what it changed has been added: tells of that now. */
  applied(version: number): void {
    this.#version = version;
    this.flush();
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#upstreams.length > 0) this.#link.reportActivity(this.#upstreams.splice(0).flatMap(this.#reportsOf));
  }

  /** What was busy in between and is idle again is told as having been busy: it was used until now. */
  readonly #reportsOf = (upstream: Upstream): ActivityReport[] => {
    const { service, id: instanceId, inFlight, peak } = upstream;
    const report = { service, instanceId, inFlight, seenVersion: this.#version };
    upstream.toBeTold = false;
    upstream.peak = inFlight;
    return inFlight === 0 && peak > 0 ? [{ ...report, inFlight: peak }, report] : [report];
  };
}
