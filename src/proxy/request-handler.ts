import type { Clock } from '../lib/clock.ts';
import type { ControlLink } from '../seam/control-link.ts';
import type { Endpoint } from '../seam/fleet-view.ts';
import type { AccessEntry, AccessLog } from './access-log.ts';
import { unknownHost } from './answers/error-of.ts';
import type { WakeFeed } from './answers/wake-feed.ts';
import { wellKnown, type WellKnown } from './answers/well-known.ts';
import type { ClientExchange } from './exchange/client-exchange.ts';
import type { Http1UpgradeExchange } from './exchange/http1-upgrade-exchange.ts';
import type { ForwardOptions } from './forward/forwarder.ts';
import type { Tunnel } from './forward/tunnel.ts';
import { UpstreamError } from './forward/upstream-error.ts';
import { Refusals, type RefusalsTools } from './refusals.ts';
import { send } from './send.ts';
import { ServiceVisits, type ServiceVisitsTools } from './service-visits.ts';
import { tenths, Visit } from './visit.ts';

export interface RequestHandlerTools extends RefusalsTools, Omit<ServiceVisitsTools, 'refusals'> {
  readonly feed: WakeFeed;
  readonly accessLog: AccessLog;
  readonly clock: Clock;
  /** The host of the management API, and where it is served. */
  readonly admin: { readonly host: string; readonly endpoint: Endpoint };
  /** Whether a connection made for one name may be used for the other (RFC 9110 section 15.5.20). */
  readonly sameCertificate: (serverName: string | undefined, host: string) => boolean;
  readonly control: Pick<ControlLink, 'away' | 'untilBack'>;
}

/** Whoever wakes a service through the API waits as long as its wake may take, which the control half bounds. */
const ADMIN_OPTIONS: ForwardOptions = { responseTimeoutMs: Infinity };

/** Every request from its first line to its line in the log: who answers it is decided here. */
export class RequestHandler {
  readonly #tools: RequestHandlerTools;
  readonly #refusals: Refusals;
  readonly #services: ServiceVisits;

  constructor(tools: RequestHandlerTools) {
    this.#tools = tools;
    this.#refusals = new Refusals(tools);
    this.#services = new ServiceVisits({ ...tools, refusals: this.#refusals });
  }

  handle(exchange: ClientExchange): void {
    void this.#serve(new Visit(exchange, this.#tools.clock.now()));
  }

  upgrade(exchange: Http1UpgradeExchange): void {
    void this.#serve(new Visit(exchange, this.#tools.clock.now(), exchange));
  }

  async #serve(visit: Visit): Promise<void> {
    try {
      await this.#route(visit);
    } catch (error) {
      this.#refusals.refuseFor(visit, error);
    }
    const { accessLog, clock, tally } = this.#tools;
    const nowMs = clock.now();
    tally.count(visit, nowMs);
    if (visit.tunnel !== undefined) this.#stayOpen(visit.tunnel, visit.entry(visit.startedMs), visit);
    // Nothing is put together for the many requests that the log does not want.
    else if (accessLog.wants(visit)) accessLog.write(visit.entry(nowMs));
  }

  /** A WebSocket may be open for days: until it closes only this is kept of it, not the request with all its fields. */
  #stayOpen(tunnel: Tunnel, line: AccessEntry, { lease, startedMs }: Visit): void {
    const { accessLog, clock } = this.#tools;
    tunnel.whenClosed(() => {
      lease?.release('served');
      accessLog.write({ ...line, durationMs: tenths(clock.now() - startedMs) });
    });
  }

  /** No `async`: a promise of its own around that of the next step would cost every request. */
  #route(visit: Visit): Promise<void> | undefined {
    const { admin, sameCertificate } = this.#tools;
    const { host, target, serverName } = visit.exchange;
    if (!sameCertificate(serverName, host)) {
      const detail = `this connection was made for ${serverName ?? 'no name'}, ${host} has a certificate of its own`;
      this.#refusals.refuse(visit, { code: 'misdirected', detail });
      return undefined;
    }
    if (host === admin.host) return this.#toAdmin(visit);
    const kind = wellKnown(target);
    if (kind) {
      this.#serveWellKnown(visit, kind);
      return undefined;
    }
    return this.#services.serve(visit);
  }

  /** What a service is doing, for those who must not wake it by asking. */
  #serveWellKnown(visit: Visit, { kind, routedPath }: WellKnown): void {
    const { exchange } = visit;
    const { router, feed } = this.#tools;
    const match = routedPath === undefined ? undefined : router.match(exchange.host, routedPath);
    const service = (match ?? router.matchHost(exchange.host))?.pool.view;
    if (!service) {
      this.#refusals.refuse(visit, unknownHost(exchange));
      return;
    }
    visit.service = service.name;
    visit.status = 200;
    feed.serve(exchange, kind, service);
  }

  /** While the process that serves it is replaced, nothing listens there for a moment. */
  async #toAdmin(visit: Visit): Promise<void> {
    const { admin, control, forwarder } = this.#tools;
    visit.service = 'reveille';
    try {
      visit.note(await send(forwarder, visit, admin.endpoint, [], ADMIN_OPTIONS));
    } catch (error) {
      if (!(error instanceof UpstreamError) || !error.replayable) throw error;
      if (visit.exchange.headSent || visit.exchange.abandoned) throw error;
      await control.untilBack();
      visit.note(await send(forwarder, visit, admin.endpoint, [], ADMIN_OPTIONS));
    }
  }
}
