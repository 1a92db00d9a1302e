import type { ServicePool } from '../dispatch/service-pool.ts';
import type { RouteView } from '../seam/fleet-view.ts';

/** A route, and who serves what comes along it. */
export interface RouteMatch {
  readonly pool: ServicePool;
  readonly route: RouteView;
}

/** The routes of one host, by path prefix. */
export class PathTable {
  readonly #entries = new Map<string, RouteMatch>();
  /** That of '/', which most hosts have and nothing else. */
  #root: RouteMatch | undefined;
  /** No prefix is longer than this, so a long path of a stranger costs no more look-ups than our own routes have segments. */
  #longest = 0;

  get size(): number {
    return this.#entries.size;
  }

  add(match: RouteMatch): void {
    const { path } = match.route;
    this.#entries.set(path, match);
    if (path === '/') this.#root = match;
    this.#longest = Math.max(this.#longest, path.length);
  }

  /** Takes a route away, unless another service has taken it over meanwhile. */
  remove(service: string, route: RouteView): void {
    if (this.#entries.get(route.path)?.pool.name !== service) return;
    this.#entries.delete(route.path);
    if (route.path === '/') this.#root = undefined;
    this.#longest = Math.max(0, ...[...this.#entries.keys()].map((path) => path.length));
  }

  /** The entry whose prefix is the longest that ends on a segment border of `path`. */
  match(path: string): RouteMatch | undefined {
    if (this.#longest > 1) {
      let end = path.length > this.#longest ? borderBefore(path, this.#longest + 1) : path.length;
      while (end > 0) {
        const entry = this.#entries.get(path.slice(0, end));
        if (entry !== undefined) return entry;
        end = borderBefore(path, end);
      }
    }
    return this.#root;
  }

  /** The entry that speaks for the whole host: that of '/', else that of the shortest prefix. */
  first(): RouteMatch | undefined {
    if (this.#root !== undefined) return this.#root;
    return [...this.#entries.values()].sort((a, b) => a.route.path.length - b.route.path.length)[0];
  }
}

/** Where the last slash before `end` stands; 0 when only the first one is left. */
function borderBefore(path: string, end: number): number {
  return path.lastIndexOf('/', end - 1);
}
