import {
  DURATION_BOUNDS_SECONDS,
  OTHER_STATUS,
  SHED_REASONS,
  UPSTREAM_ERRORS,
  type Incident,
  type TrafficReport,
} from '../seam/traffic-report.ts';
import type { Family, Series } from './family.ts';
import { Histogram } from './histogram.ts';

interface RequestTotal {
  readonly method: string;
  readonly status: string;
  readonly durations: Histogram;
  count: number;
}

interface ServiceTotals {
  readonly requests: Map<string, RequestTotal>;
  readonly incidents: Map<Incident, number>;
}

const REASONS: ReadonlySet<string> = new Set(SHED_REASONS);
const KINDS: ReadonlySet<string> = new Set(UPSTREAM_ERRORS);

/** What all data halves have counted since this process began, by service. */
export class TrafficTotals {
  readonly #services = new Map<string, ServiceTotals>();

  /** @param isKnown whether there is such a service: what is told of any other is not kept */
  add({ requests, incidents }: TrafficReport, isKnown: (service: string) => boolean): void {
    for (const { service, method, status, count, seconds, buckets } of requests) {
      if (!isKnown(service)) continue;
      const all = this.#of(service).requests;
      const key = `${method} ${status}`;
      const total = all.get(key) ?? {
        ...{ method, status: status === OTHER_STATUS ? 'other' : String(status), count: 0 },
        durations: new Histogram(DURATION_BOUNDS_SECONDS),
      };
      all.set(key, total);
      total.count += count;
      total.durations.add(buckets, seconds);
    }
    for (const { service, incident, count } of incidents) {
      if (!isKnown(service)) continue;
      const all = this.#of(service).incidents;
      all.set(incident, (all.get(incident) ?? 0) + count);
    }
  }

  /** It has left the manifest. */
  forget(service: string): void {
    this.#services.delete(service);
  }

  families(): Family[] {
    return [
      { metric: 'requests_total', series: this.#requests(({ count }) => count) },
      { metric: 'request_duration_seconds', series: this.#requests(({ durations }) => durations) },
      { metric: 'shed_total', series: this.#incidents((incident) => REASONS.has(incident), 'reason') },
      { metric: 'upstream_errors_total', series: this.#incidents((incident) => KINDS.has(incident), 'kind') },
      { metric: 'retries_total', series: this.#incidents((incident) => incident === 'retry') },
    ];
  }

  *#requests(value: (total: RequestTotal) => number | Histogram): Iterable<Series> {
    for (const [service, { requests }] of this.#services) {
      for (const total of requests.values()) {
        const measured = value(total);
        // What was refused unseen has no durations.
        if (measured instanceof Histogram && measured.count === 0) continue;
        yield { labels: { service, method: total.method, status: total.status }, value: measured };
      }
    }
  }

  *#incidents(wanted: (incident: Incident) => boolean, label?: string): Iterable<Series> {
    for (const [service, { incidents }] of this.#services) {
      for (const [incident, value] of incidents) {
        if (wanted(incident)) yield { labels: { service, ...(label !== undefined && { [label]: incident }) }, value };
      }
    }
  }

  #of(service: string): ServiceTotals {
    const known = this.#services.get(service);
    if (known) return known;
    const totals = { requests: new Map<string, RequestTotal>(), incidents: new Map<Incident, number>() };
    this.#services.set(service, totals);
    return totals;
  }
}
