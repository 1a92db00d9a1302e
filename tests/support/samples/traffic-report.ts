import { DURATION_BOUNDS_SECONDS, type RequestCount, type TrafficReport } from '../../../src/seam/traffic-report.ts';

export function requestCount(changes: Partial<RequestCount> = {}): RequestCount {
  const buckets = new Array<number>(DURATION_BOUNDS_SECONDS.length + 1).fill(0);
  return { service: 'web', method: 'GET', status: 200, count: 1, seconds: 0.5, buckets, ...changes };
}

/** So many requests of one kind. */
export function trafficReport(count: number, changes: Partial<TrafficReport> = {}): TrafficReport {
  return { pid: 7, lagSeconds: 0, requests: [requestCount({ count })], incidents: [], ...changes };
}
