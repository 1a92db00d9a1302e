import type { EventBus } from '../fleet/event-bus.ts';
import type { MemberObserver } from '../fleet/member.ts';
import type { Clock } from '../lib/clock.ts';
import { Lateness } from '../lib/lateness.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import type { TrafficReport } from '../seam/traffic-report.ts';
import { expose, type Exposition } from './exposition.ts';
import { gauges, type Gauged } from './gauges.ts';
import { LifeTotals } from './life-totals.ts';
import { LoopLag } from './loop-lag.ts';
import { TrafficTotals } from './traffic-totals.ts';

export interface MetricsTools {
  readonly bus: EventBus;
  readonly clock: Clock;
  /** Undefined until there is a fleet. */
  readonly gauged: () => Gauged | undefined;
}

/** What requests are counted under that are for the daemon itself, and for nobody. */
const BESIDE_SERVICES: ReadonlySet<string> = new Set(['reveille', '']);
const SERVING: ReadonlySet<string> = new Set(['ready', 'unhealthy']);
const LAG_EVERY_MS = 1_000;

/** All that Prometheus may ask. Totals are kept here, in the control half: a proxy process that is replaced takes none away. */
export class Metrics implements MemberObserver {
  readonly #tools: MetricsTools;
  readonly #traffic = new TrafficTotals();
  readonly #life = new LifeTotals();
  readonly #lag: LoopLag;
  readonly #lateness: Lateness;
  readonly #scrapes = new SingleFlight<Exposition>();
  #stopListening: (() => void) | undefined;

  constructor(tools: MetricsTools) {
    this.#tools = tools;
    this.#lag = new LoopLag(tools.clock);
    this.#lateness = new Lateness(tools.clock, LAG_EVERY_MS, (lateMs) => this.#lag.tell('control', lateMs / 1000));
  }

  start(): void {
    this.#lateness.start();
    this.#stopListening = this.#tools.bus.subscribe((event) => {
      if (this.#has(event.service)) this.#life.hear(event, (service) => this.#serves(service));
    });
  }

  close(): void {
    this.#lateness.close();
    this.#stopListening?.();
  }

  /** Takes over what a data half has counted. */
  count(report: TrafficReport): void {
    this.#lag.tell(`proxy-${report.pid}`, report.lagSeconds);
    this.#traffic.add(report, (service) => BESIDE_SERVICES.has(service) || this.#has(service));
  }

  changed(): void {
    // Gauges are read when they are asked for.
  }

  /** Its counters go with it, so that services which come and go for months leave nothing behind. */
  removed(service: string): void {
    this.#traffic.forget(service);
    this.#life.forget(service);
  }

  /** In the text format of Prometheus. Who asks while one is being written gets the same one. */
  scrape(): Promise<Exposition> {
    return this.#scrapes.run(() => {
      const gauged = this.#tools.gauged();
      const now = gauged ? gauges(gauged) : [];
      return expose([...this.#traffic.families(), ...this.#life.families(), ...now, this.#lag.family()]);
    });
  }

  #has(service: string): boolean {
    return this.#tools.gauged()?.fleet.member(service) !== undefined;
  }

  #serves(service: string): boolean {
    const member = this.#tools.gauged()?.fleet.member(service);
    return member?.instanceViews.some(({ state }) => SERVING.has(state)) ?? false;
  }
}
