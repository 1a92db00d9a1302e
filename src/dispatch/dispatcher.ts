import type { ControlLink, PeerNews } from '../seam/control-link.ts';
import type { FleetUpdate } from '../seam/fleet-view.ts';
import { ActivityReports } from './activity-reports.ts';
import { ServicePool, type PoolTools } from './service-pool.ts';

export interface DispatcherTools extends Omit<PoolTools, 'activity'> {
  readonly link: PoolTools['link'] & Pick<ControlLink, 'reportActivity'>;
}

/** Who serves a request: one pool per service, kept in step with the fleet. */
export class Dispatcher {
  readonly #tools: PoolTools;
  readonly #pools = new Map<string, ServicePool>();

  constructor(tools: DispatcherTools) {
    this.#tools = { ...tools, activity: new ActivityReports(tools.clock, tools.link) };
  }

  pool(service: string): ServicePool | undefined {
    return this.#pools.get(service);
  }

  pools(): Iterable<ServicePool> {
    return this.#pools.values();
  }

  /** Tells the control half that an instance could not be reached; resolves when the view has been corrected. */
  suspect(service: string, instanceId: string): Promise<void> {
    return this.#tools.link.suspect(service, instanceId);
  }

  /** Takes over what concerns us of the other proxy processes. */
  hear(news: PeerNews): void {
    const pool = this.#pools.get(news.service);
    if (!pool) return;
    if (news.kind === 'verdict') pool.learn(news.instanceId, news.verdict);
    else pool.waitingElsewhere = news.waiting;
  }

  /** Sends away all who wait for a service to wake: the proxy ends. */
  turnAway(): void {
    for (const pool of this.#pools.values()) pool.turnAway();
  }

  apply(update: FleetUpdate): void {
    const named = new Set(update.services.map(({ name }) => name));
    const gone = update.complete ? [...this.#pools.keys()].filter((name) => !named.has(name)) : update.removed;
    for (const name of gone) {
      this.#pools.get(name)?.close();
      this.#pools.delete(name);
    }
    for (const view of update.services) {
      const pool = this.#pools.get(view.name) ?? new ServicePool(view, this.#tools);
      this.#pools.set(view.name, pool);
      pool.apply(view);
    }
    this.#tools.activity.applied(update.version);
  }
}
