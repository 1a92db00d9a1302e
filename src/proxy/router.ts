import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { ServicePool } from '../dispatch/service-pool.ts';
import type { FleetUpdate, RouteView } from '../seam/fleet-view.ts';
import { PathTable, type RouteMatch } from './path-table.ts';
import { routePath } from './route-path.ts';

/** The routes of one service. */
type Routed = readonly RouteView[];

/**
 * Finds the service of a request, asleep or awake: the exact host before a wildcard of one label, then the longest path
 * prefix. A match costs the same whether ten hosts are known or ten thousand, as far as it can: it leads to the pool of
 * the service by the one look-up of the host. An update touches only the routes that changed.
 */
export class Router {
  readonly #routes = new Map<string, Routed>();
  readonly #exact = new Map<string, PathTable>();
  /** By what stands behind `*.`. */
  readonly #wildcard = new Map<string, PathTable>();

  /** @param dispatcher has applied the update: it has a pool for each service */
  apply(update: FleetUpdate, dispatcher: Pick<Dispatcher, 'pool'>): void {
    const named = new Set(update.services.map(({ name }) => name));
    const gone = update.complete ? [...this.#routes.keys()].filter((name) => !named.has(name)) : update.removed;
    for (const name of gone) this.#unroute(name);
    const moved = update.services.filter(({ name, routes }) => !sameRoutes(this.#routes.get(name), routes));
    // All old routes go before the first new one comes, so that services can exchange theirs in one update.
    for (const { name } of moved) this.#unroute(name);
    for (const { name, routes } of moved) {
      const pool = dispatcher.pool(name);
      if (pool) this.#route(pool, routes);
    }
  }

  /** `host` in lower case and without its port; `target` in origin form, as the client sent it. */
  match(host: string, target: string): RouteMatch | undefined {
    const path = routePath(target);
    return this.#exact.get(host)?.match(path) ?? this.#wildcard.get(parentOf(host))?.match(path);
  }

  /** Whoever answers for the host as a whole, when the path of the request is not one of the service. */
  matchHost(host: string): RouteMatch | undefined {
    return this.#exact.get(host)?.first() ?? this.#wildcard.get(parentOf(host))?.first();
  }

  #route(pool: ServicePool, routes: Routed): void {
    this.#routes.set(pool.name, routes);
    for (const route of routes) {
      const [tables, key] = this.#place(route);
      const table = tables.get(key) ?? new PathTable();
      tables.set(key, table);
      table.add({ pool, route });
    }
  }

  #unroute(name: string): void {
    const routes = this.#routes.get(name) ?? [];
    this.#routes.delete(name);
    for (const route of routes) {
      const [tables, key] = this.#place(route);
      const table = tables.get(key);
      table?.remove(name, route);
      if (table?.size === 0) tables.delete(key);
    }
  }

  #place({ host }: RouteView): [Map<string, PathTable>, string] {
    return host.startsWith('*.') ? [this.#wildcard, host.slice(2)] : [this.#exact, host];
  }
}

/** The host without its first label; empty, which no route has, when there is none. */
function parentOf(host: string): string {
  const dot = host.indexOf('.');
  return dot > 0 ? host.slice(dot + 1) : '';
}

function sameRoutes(before: Routed | undefined, after: Routed): boolean {
  return (
    before?.length === after.length &&
    before.every(({ host, path, port }, i) => {
      const other = after[i];
      return host === other?.host && path === other.path && port === other.port;
    })
  );
}
