import {
  DURATION_BOUNDS_SECONDS,
  INCIDENTS,
  METHODS,
  OTHER_STATUS,
  type Incident,
  type IncidentCount,
  type RequestCount,
} from '../seam/traffic-report.ts';
import type { Visit } from './visit.ts';

interface Series {
  count: number;
  seconds: number;
  readonly buckets: number[];
  /** How often in a row there was nothing to tell of it. */
  quiet: number;
}

const BOUNDS: readonly number[] = DURATION_BOUNDS_SECONDS;
const METHOD_INDEX: ReadonlyMap<string, number> = new Map(METHODS.map((method, index) => [method, index]));
const OTHER_METHOD = METHODS.indexOf('other');
const KNOWN_INCIDENTS: ReadonlySet<string> = new Set(INCIDENTS);
/** A series goes when there was nothing to tell of it so often: new ones for all services every second would keep V8 collecting. */
const QUIET_TAKES = 60;
/** A client that left before it was sent a status; nginx and Traefik give it the same number. */
const CLIENT_LEFT = 499;

/**
 * Counts requests as they end. It is a part of every request: no object, no text is made for one, and the number of
 * series is bounded whatever clients and upstreams send.
 */
export class TrafficTally {
  readonly #requests = new Map<string, Map<number, Series>>();
  #incidents = new Map<string, Map<Incident, number>>();

  /** A request has ended, or has become a tunnel: what that takes is no duration of a request. */
  count({ exchange, service = '', status, code, startedMs }: Visit, nowMs: number): void {
    const series = this.#series(service, exchange.method, status);
    series.count += 1;
    const seconds = (nowMs - startedMs) / 1000;
    series.seconds += seconds;
    const bucket = bucketOf(seconds);
    series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
    if (code !== undefined && isIncident(code)) this.#add(service, code);
  }

  /** A request was answered before anybody knew whom it was for, or how long it took. */
  countRefused(method: string, status: number): void {
    this.#series('', method, status).count += 1;
  }

  /** A request has failed and is sent once more. */
  countRetry(service: string, { code, stale }: { readonly code: string; readonly stale: boolean }): void {
    this.#add(service, 'retry');
    if (!stale && isIncident(code)) this.#add(service, code);
  }

  /** What has been counted since the last call. */
  take(): { requests: RequestCount[]; incidents: IncidentCount[] } {
    const incidents = this.#incidents;
    this.#incidents = new Map();
    return {
      requests: this.#takeRequests(),
      incidents: [...incidents].flatMap(([service, all]) =>
        [...all].map(([incident, count]) => ({ service, incident, count })),
      ),
    };
  }

  #takeRequests(): RequestCount[] {
    const taken: RequestCount[] = [];
    for (const [service, all] of this.#requests) {
      for (const [key, series] of all) {
        if (series.count > 0) taken.push(takeSeries(service, key, series));
        else if ((series.quiet += 1) >= QUIET_TAKES) all.delete(key);
      }
      if (all.size === 0) this.#requests.delete(service);
    }
    return taken;
  }

  #series(service: string, method: string, status: number): Series {
    let all = this.#requests.get(service);
    if (!all) this.#requests.set(service, (all = new Map<number, Series>()));
    const key = (METHOD_INDEX.get(method) ?? OTHER_METHOD) * 1000 + statusOf(status);
    let series = all.get(key);
    if (!series) {
      series = { count: 0, seconds: 0, buckets: new Array<number>(BOUNDS.length + 1).fill(0), quiet: 0 };
      all.set(key, series);
    }
    return series;
  }

  #add(service: string, incident: Incident): void {
    const all = this.#incidents.get(service) ?? new Map<Incident, number>();
    this.#incidents.set(service, all);
    all.set(incident, (all.get(incident) ?? 0) + 1);
  }
}

function takeSeries(service: string, key: number, series: Series): RequestCount {
  const method = METHODS[Math.floor(key / 1000)] ?? 'other';
  const { count, seconds } = series;
  const taken = { service, method, status: key % 1000, count, seconds, buckets: series.buckets.slice() };
  series.count = 0;
  series.seconds = 0;
  series.buckets.fill(0);
  series.quiet = 0;
  return taken;
}

function statusOf(status: number): number {
  if (status === 0) return CLIENT_LEFT;
  return status >= 100 && status <= 599 ? status : OTHER_STATUS;
}

function bucketOf(seconds: number): number {
  let bucket = 0;
  while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? Infinity)) bucket += 1;
  return bucket;
}

function isIncident(code: string): code is Incident {
  return KNOWN_INCIDENTS.has(code);
}
