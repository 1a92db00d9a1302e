import type { FleetUpdate, RouteView, ServiceView } from '../seam/fleet-view.ts';
import { PathTable } from './path-table.ts';
import { routePath } from './route-path.ts';

export interface RouteMatch {
  /** The service as it is now, asleep or awake. */
  readonly service: ServiceView;
  readonly route: RouteView;
}

/**
 * Finds the service of a request: the exact host before a wildcard of one label, then the longest path prefix.
 * A match costs the same whether ten hosts are known or ten thousand; an update touches only the routes that changed.
 */
export class Router {
  readonly #services = new Map<string, ServiceView>();
  readonly #exact = new Map<string, PathTable>();
  /** By what stands behind `*.`. */
  readonly #wildcard = new Map<string, PathTable>();

  apply(update: FleetUpdate): void {
    const named = new Set(update.services.map(({ name }) => name));
    const gone = update.complete ? [...this.#services.keys()].filter((name) => !named.has(name)) : update.removed;
    for (const name of gone) this.#forget(name);
    const moved = update.services.filter((view) => !sameRoutes(this.#services.get(view.name)?.routes, view.routes));
    // All old routes go before the first new one comes, so that services can exchange theirs in one update.
    for (const { name } of moved) this.#unroute(name);
    for (const { name, routes } of moved) for (const route of routes) this.#add(name, route);
    for (const view of update.services) this.#services.set(view.name, view);
  }

  /** `host` in lower case and without its port; `target` in origin form, as the client sent it. */
  match(host: string, target: string): RouteMatch | undefined {
    const path = routePath(target);
    return this.#resolve(this.#exact.get(host)?.match(path) ?? this.#wildcard.get(parentOf(host))?.match(path));
  }

  /** Whoever answers for the host as a whole, when the path of the request is not one of the service. */
  matchHost(host: string): RouteMatch | undefined {
    return this.#resolve(this.#exact.get(host)?.first() ?? this.#wildcard.get(parentOf(host))?.first());
  }

  #resolve(entry: { service: string; route: RouteView } | undefined): RouteMatch | undefined {
    const service = entry && this.#services.get(entry.service);
    return service && { service, route: entry.route };
  }

  #forget(name: string): void {
    this.#unroute(name);
    this.#services.delete(name);
  }

  #add(service: string, route: RouteView): void {
    const [tables, key] = this.#place(route);
    const table = tables.get(key) ?? new PathTable();
    tables.set(key, table);
    table.add(service, route);
  }

  #unroute(name: string): void {
    for (const route of this.#services.get(name)?.routes ?? []) {
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

function sameRoutes(before: readonly RouteView[] | undefined, after: readonly RouteView[]): boolean {
  return (
    before?.length === after.length &&
    before.every(({ host, path, port }, i) => {
      const other = after[i];
      return host === other?.host && path === other.path && port === other.port;
    })
  );
}
