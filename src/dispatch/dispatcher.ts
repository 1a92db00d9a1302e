import type { ControlLink, PeerNews } from '../seam/control-link.ts';
import type { FleetUpdate, ServiceView } from '../seam/fleet-view.ts';
import { ActivityReports } from './activity-reports.ts';
import { ServicePool, type PoolTools } from './service-pool.ts';
import type { Upstream } from './upstream.ts';

export interface DispatcherTools extends Omit<PoolTools, 'activity'> {
  readonly link: PoolTools['link'] & Pick<ControlLink, 'reportActivity'>;
}

/** Who serves a request: one pool per service, kept in step with the fleet. */
export class Dispatcher {
  readonly #tools: PoolTools;
  readonly #pools = new Map<string, ServicePool>();
  /** Of services that have left the manifest: the instances that still serve a request of ours. */
  readonly #leaving = new Map<string, Set<Upstream>>();

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
    for (const name of gone) this.#close(name);
    for (const view of update.services) (this.#pools.get(view.name) ?? this.#open(view)).apply(view);
    for (const leaving of this.#leaving.values()) for (const upstream of leaving) this.#tools.activity.add(upstream);
    this.#tools.activity.applied(update.version);
  }

  #open(view: ServiceView): ServicePool {
    const pool = new ServicePool(view, this.#tools, this.#leaving.get(view.name));
    this.#leaving.delete(view.name);
    this.#pools.set(view.name, pool);
    return pool;
  }

  #close(name: string): void {
    const pool = this.#pools.get(name);
    if (!pool) return;
    pool.close();
    this.#pools.delete(name);
    for (const [service, { size }] of this.#leaving) if (size === 0) this.#leaving.delete(service);
    if (pool.leaving.size > 0) this.#leaving.set(name, pool.leaving);
  }
}
