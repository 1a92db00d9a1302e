import type { RouteView, ServiceView, WakeProgress } from '../../../src/seam/fleet-view.ts';

/** A sleeping service as the data half sees it. */
export function serviceView(changes: Partial<ServiceView> = {}): ServiceView {
  return {
    name: 'web',
    status: 'asleep',
    routes: [routeView()],
    upstreams: [],
    protocol: 'http',
    balance: 'least-in-flight',
    sticky: false,
    breaker: { failures: 5, openForMs: 30_000 },
    wake: { timeoutMs: 60_000, maxWaiting: 1000, page: 'auto', pageAfterMs: 800 },
    ...changes,
  };
}

export function routeView(changes: Partial<RouteView> = {}): RouteView {
  return { host: 'app.test', path: '/', port: 3000, ...changes };
}

export function wakeProgress(changes: Partial<WakeProgress> = {}): WakeProgress {
  return {
    phase: 'build',
    detail: 'Step 2/7 : COPY . .',
    ratio: 0.4,
    startedAtEpochMs: Date.UTC(2026, 0, 1),
    lines: [],
    ...changes,
  };
}

/** The view of a service that is ready to serve. */
export function awakeView(changes: Partial<ServiceView> = {}): ServiceView {
  const upstreams = [{ id: 'web-1', endpoints: { 3000: { host: '127.0.0.1', port: 3000 } } }];
  return serviceView({ status: 'awake', upstreams, ...changes });
}
