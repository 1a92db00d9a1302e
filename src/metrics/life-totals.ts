import type { FleetEvent } from '../fleet/events.ts';
import type { Family, Series } from './family.ts';
import { Histogram } from './histogram.ts';

type WakeResult = 'awake' | 'failed' | 'timeout' | 'cancelled';

interface ServiceLife {
  readonly wakes: Map<string, number>;
  readonly durations: Map<string, Histogram>;
  readonly sleeps: Map<string, number>;
  /** A wake is under way whose end has not been told. */
  waking: boolean;
}

/** The parts of a wake, as `service.awake` tells them (in milliseconds). */
const PHASES = {
  totalMs: 'total',
  dependenciesMs: 'dependencies',
  buildMs: 'build',
  startMs: 'start',
  readyMs: 'ready',
} as const;
/** From a container that is unpaused to an image that is built. */
const WAKE_BOUNDS_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** How often services woke and fell asleep, from the events of the fleet. */
export class LifeTotals {
  readonly #services = new Map<string, ServiceLife>();

  /** @param serves whether the service serves already: a wake of it is then told by no other event */
  hear({ type, service, data }: FleetEvent, serves: (service: string) => boolean): void {
    switch (type) {
      case 'wake.requested':
        this.#of(service).waking = !serves(service);
        break;
      case 'service.awake':
        this.#ended(service, 'awake');
        this.#observe(service, data);
        break;
      case 'service.failed':
        // A service that ends while it serves has failed as well, but no wake of it.
        if (this.#of(service).waking) this.#ended(service, data['code'] === 'not_ready_in_time' ? 'timeout' : 'failed');
        break;
      case 'service.asleep':
        if (this.#of(service).waking) this.#ended(service, 'cancelled');
        increase(this.#of(service).sleeps, String(data['strategy']));
        break;
      default:
    }
  }

  /** It has left the manifest. */
  forget(service: string): void {
    this.#services.delete(service);
  }

  families(): Family[] {
    return [
      { metric: 'wakes_total', series: this.#series('result', ({ wakes }) => wakes) },
      { metric: 'wake_duration_seconds', series: this.#series('phase', ({ durations }) => durations) },
      { metric: 'sleeps_total', series: this.#series('strategy', ({ sleeps }) => sleeps) },
    ];
  }

  *#series(label: string, values: (life: ServiceLife) => Map<string, number | Histogram>): Iterable<Series> {
    for (const [service, life] of this.#services) {
      for (const [name, value] of values(life)) yield { labels: { service, [label]: name }, value };
    }
  }

  #ended(service: string, result: WakeResult): void {
    const life = this.#of(service);
    life.waking = false;
    increase(life.wakes, result);
  }

  #observe(service: string, data: FleetEvent['data']): void {
    const { durations } = this.#of(service);
    for (const [part, phase] of Object.entries(PHASES)) {
      const ms = data[part];
      if (typeof ms !== 'number') continue;
      const histogram = durations.get(phase) ?? new Histogram(WAKE_BOUNDS_SECONDS);
      durations.set(phase, histogram);
      histogram.observe(ms / 1000);
    }
  }

  #of(service: string): ServiceLife {
    const known = this.#services.get(service);
    if (known) return known;
    const life = { wakes: new Map(), durations: new Map(), sleeps: new Map(), waking: false };
    this.#services.set(service, life);
    return life;
  }
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
