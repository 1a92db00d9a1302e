import { describe, expect, it } from 'vitest';
import { Dispatcher } from '../../../src/dispatch/dispatcher.ts';
import { Router } from '../../../src/proxy/router.ts';
import type { FleetUpdate, RouteView, ServiceView } from '../../../src/seam/fleet-view.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { mockLink } from '../../support/fakes/mock-link.ts';
import { routeView, serviceView } from '../../support/samples/service-view.ts';

function service(name: string, ...routes: Partial<RouteView>[]): ServiceView {
  return serviceView({ name, routes: routes.map(routeView) });
}

function update(changes: Partial<FleetUpdate>): FleetUpdate {
  return { version: 1, complete: false, services: [], removed: [], ...changes };
}

/** A router and the dispatcher that it leads to, kept in step. */
class Routing {
  readonly #dispatcher = new Dispatcher({ clock: new FakeClock(), link: mockLink(), random: () => 0 });
  readonly #router = new Router();

  apply(change: FleetUpdate): void {
    this.#dispatcher.apply(change);
    this.#router.apply(change, this.#dispatcher);
  }

  match(...asked: Parameters<Router['match']>): ReturnType<Router['match']> {
    return this.#router.match(...asked);
  }

  matchHost(host: string): ReturnType<Router['matchHost']> {
    return this.#router.matchHost(host);
  }
}

function routerOf(...services: ServiceView[]): Routing {
  const router = new Routing();
  router.apply(update({ complete: true, services }));
  return router;
}

function nameAt(router: Routing, host: string, target = '/'): string | undefined {
  return router.match(host, target)?.pool.name;
}

describe('Router', () => {
  it('knows services that sleep', () => {
    expect(routerOf(service('web', {})).match('app.test', '/')?.pool.view.status).toBe('asleep');
  });

  it('knows no other host, not even a part or a relative of a known one', () => {
    const router = routerOf(service('web', { host: 'app.test' }), service('wild', { host: '*.preview.test' }));
    for (const host of [
      '',
      'test',
      'app',
      'x.app.test',
      'app.test.evil',
      'preview.test',
      'a.b.preview.test',
      '.preview.test',
    ]) {
      expect(nameAt(router, host), host).toBeUndefined();
    }
    expect(nameAt(router, 'constructor')).toBeUndefined();
  });

  it('prefers the exact host to a wildcard, and falls back to it for other paths', () => {
    const router = routerOf(
      service('wild', { host: '*.test' }),
      service('exact', { host: 'app.test' }),
      service('partly', { host: 'part.test', path: '/only' }),
    );
    expect(nameAt(router, 'app.test')).toBe('exact');
    expect(nameAt(router, 'other.test')).toBe('wild');
    expect(nameAt(router, 'part.test', '/only')).toBe('partly');
    expect(nameAt(router, 'part.test', '/else')).toBe('wild');
  });

  it.each([
    ['/api', 'api'],
    ['/api/', 'api'],
    ['/api/x', 'api'],
    ['/api?x', 'api'],
    ['/api/v2/users', 'v2'],
    ['/api/v20', 'api'],
    ['/apix', 'web'],
    ['/ap', 'web'],
    ['/x/api', 'web'],
    ['/?/api', 'web'],
    ['*', 'web'],
    [`/api${'/x'.repeat(5000)}`, 'api'],
    [`/${'/x'.repeat(5000)}`, 'web'],
  ])('sends %s to the longest prefix on a segment border', (target, expected) => {
    const router = routerOf(service('web', {}), service('api', { path: '/api' }), service('v2', { path: '/api/v2' }));
    expect(nameAt(router, 'app.test', target)).toBe(expected);
  });

  it.each([
    ['/x/../api', 'api'],
    ['/./api/x', 'api'],
    ['/x/%2e%2E/api', 'api'],
    ['//api', 'api'],
    ['/%61pi', 'api'],
    ['/../../api/.', 'api'],
    ['/api/..', 'web'],
    ['/api/../x', 'web'],
    ['/api%2fx', 'web'],
    ['/api%00', 'web'],
    ['/%', 'web'],
  ])('reads %s as an upstream would', (target, expected) => {
    const router = routerOf(service('web', {}), service('api', { path: '/api' }));
    expect(nameAt(router, 'app.test', target)).toBe(expected);
  });

  it('tells the route, so that its port is known', () => {
    const router = routerOf(service('web', {}, { path: '/metrics', port: 9090 }));
    expect(router.match('app.test', '/metrics')?.route.port).toBe(9090);
  });

  it('changes only what an update names', () => {
    const router = routerOf(service('a', { host: 'a.test' }), service('b', { host: 'b.test' }));
    router.apply(update({ version: 2, services: [{ ...service('a', { host: 'a.test' }), status: 'waking' }] }));
    expect(router.match('a.test', '/')?.pool.view.status).toBe('waking');
    expect(nameAt(router, 'b.test')).toBe('b');
  });

  it('leads to the new pool of a service that leaves and comes back', () => {
    const router = routerOf(service('web', {}));
    const before = router.match('app.test', '/')?.pool;
    router.apply(update({ removed: ['web'], services: [service('web', {})] }));
    expect(nameAt(router, 'app.test')).toBe('web');
    expect(router.match('app.test', '/')?.pool).not.toBe(before);
  });

  it('moves a route from one service to another within one update, whatever the order', () => {
    const router = routerOf(service('a', { host: 'x.test' }), service('b', { host: 'y.test' }));
    router.apply(update({ services: [service('b', { host: 'x.test' }), service('a', { host: 'y.test' })] }));
    expect(nameAt(router, 'x.test')).toBe('b');
    expect(nameAt(router, 'y.test')).toBe('a');
  });

  it('forgets removed services, and with a complete update all that it does not name', () => {
    const router = routerOf(
      service('a', { host: 'a.test' }),
      service('b', { host: 'b.test' }),
      service('c', { host: 'c.test' }),
    );
    router.apply(update({ removed: ['a'] }));
    expect(nameAt(router, 'a.test')).toBeUndefined();
    router.apply(update({ complete: true, services: [service('c', { host: 'c.test', path: '/new' })] }));
    expect(nameAt(router, 'b.test')).toBeUndefined();
    expect(nameAt(router, 'c.test')).toBeUndefined();
    expect(nameAt(router, 'c.test', '/new')).toBe('c');
  });

  it('names a service for a host whose root is not routed', () => {
    const router = routerOf(service('api', { path: '/api' }), service('deep', { path: '/api/deep' }));
    expect(router.match('app.test', '/.well-known/reveille')).toBeUndefined();
    expect(router.matchHost('app.test')?.pool.name).toBe('api');
    expect(router.matchHost('other.test')).toBeUndefined();
  });

  it('finds one of 10,000 hosts as fast as one of 10', () => {
    const few = manyHosts(10);
    const many = manyHosts(10_000);
    expect(nameAt(many, 'h9999.test', '/api/x')).toBe('s9999');
    // A linear scan would be a thousand times slower; the margin leaves room for caches and busy machines.
    expect(costOf(many, 10_000)).toBeLessThan(Math.max(1, costOf(few, 10)) * 200);
  });

  it('applies an update of one service among 10,000 without building everything anew', () => {
    const router = manyHosts(10_000);
    const started = performance.now();
    for (let i = 0; i < 1000; i += 1) router.apply(update({ services: [service('s5', { host: `moved${i}.test` })] }));
    expect(nameAt(router, 'moved999.test')).toBe('s5');
    expect(nameAt(router, 'moved998.test')).toBeUndefined();
    // Building 10,000 hosts a thousand times takes many seconds.
    expect(performance.now() - started).toBeLessThan(8000);
  });
});

function manyHosts(count: number): Routing {
  return routerOf(
    ...Array.from({ length: count }, (_, i) =>
      service(`s${i}`, { host: `h${i}.test` }, { host: `h${i}.test`, path: '/api' }),
    ),
  );
}

/** Milliseconds for 20,000 look-ups, the best of five. */
function costOf(router: Routing, hosts: number): number {
  const runs = Array.from({ length: 5 }, () => {
    const started = performance.now();
    for (let i = 0; i < 20_000; i += 1) router.match(`h${i % hosts}.test`, '/api/users');
    return performance.now() - started;
  });
  return Math.min(...runs);
}
