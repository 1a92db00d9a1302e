import type { Affinity } from '../dispatch/affinity.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { DispatchError } from '../dispatch/errors.ts';
import type { Lease, LeaseOutcome } from '../dispatch/lease.ts';
import type { SessionBoard } from '../dispatch/session-board.ts';
import type { LeaseWish, ServicePool } from '../dispatch/service-pool.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { ControlLink } from '../seam/control-link.ts';
import type { Endpoint } from '../seam/fleet-view.ts';
import type { AccessEntry, AccessLog } from './access-log.ts';
import type { ClientExchange } from './exchange/client-exchange.ts';
import { errorOf, unknownHost } from './answers/error-of.ts';
import { respondWithError } from './answers/error-response.ts';
import type { Forwarder, ForwardOptions } from './forward/forwarder.ts';
import type { ForwardResult } from './forward/forward-result.ts';
import { maxForwards } from './exchange/max-forwards.ts';
import type { Http1UpgradeExchange } from './exchange/http1-upgrade-exchange.ts';
import { respondWithWaitingPage } from './answers/page-response.ts';
import { toProblem, type ProxyError } from './answers/problem.ts';
import { clientHintOf } from './client-hint.ts';
import { hold } from './hold.ts';
import type { RouteMatch, Router } from './router.ts';
import type { Tunnel } from './forward/tunnel.ts';
import type { TrafficTally } from './traffic-tally.ts';
import { UpstreamError } from './forward/upstream-error.ts';
import { tenths, Visit } from './visit.ts';
import type { WakeFeed } from './answers/wake-feed.ts';
import { wellKnown, type WellKnown } from './answers/well-known.ts';

export interface RequestHandlerTools {
  readonly router: Router;
  readonly dispatcher: Dispatcher;
  readonly forwarder: Forwarder;
  readonly affinity: Affinity;
  readonly sessions: SessionBoard;
  readonly feed: WakeFeed;
  readonly accessLog: AccessLog;
  readonly tally: TrafficTally;
  readonly clock: Clock;
  readonly log: Logger;
  readonly development: boolean;
  /** The host of the management API, and where it is served. */
  readonly admin: { readonly host: string; readonly endpoint: Endpoint };
  /** Whether a connection made for one name may be used for the other (RFC 9110 section 15.5.20). */
  readonly sameCertificate: (serverName: string | undefined, host: string) => boolean;
  readonly control: Pick<ControlLink, 'away' | 'untilBack'>;
  /** What everyone who waits should know. */
  readonly notice: () => string | undefined;
}

/** What the proxy itself makes no difference between. */
const ALLOWED = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Whoever wakes a service through the API waits as long as its wake may take, which the control half bounds. */
const ADMIN_OPTIONS: ForwardOptions = { responseTimeoutMs: Infinity };

/** The path of every request, from top to bottom. */
export class RequestHandler {
  readonly #tools: RequestHandlerTools;

  constructor(tools: RequestHandlerTools) {
    this.#tools = tools;
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
      this.#answerError(visit, error);
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
      this.#refuse(visit, { code: 'misdirected', detail });
      return undefined;
    }
    if (host === admin.host) return this.#toAdmin(visit);
    const kind = wellKnown(target);
    if (kind) {
      this.#serveWellKnown(visit, kind);
      return undefined;
    }
    return this.#toService(visit);
  }

  /** RFC 9110 7.6.2: the request has come as far as its sender wanted. What it carries is not sent back to anyone (9.3.8). */
  #answerAsLast(visit: Visit): void {
    if (visit.exchange.method === 'TRACE') {
      this.#refuse(visit, { code: 'method_not_allowed', detail: 'this proxy answers no TRACE', allow: ALLOWED });
      return;
    }
    visit.status = 200;
    visit.exchange.respond(200, ['Allow', ALLOWED], '');
  }

  /** A service that leaves the manifest may leave its routes to another one: who still waits for it goes there. */
  async #toService(visit: Visit): Promise<void> {
    const { router, dispatcher } = this.#tools;
    const { exchange } = visit;
    const match = router.match(exchange.host, exchange.target);
    const pool = match && dispatcher.pool(match.service.name);
    if (!pool) {
      this.#refuse(visit, unknownHost(exchange));
      return;
    }
    if (maxForwards(exchange) === 0) {
      this.#answerAsLast(visit);
      return;
    }
    try {
      await this.#dispatch(visit, pool, this.#wish(visit, pool, match));
    } catch (error) {
      const removed =
        error instanceof DispatchError && error.code === 'no_upstream' && dispatcher.pool(pool.name) !== pool;
      if (!removed || exchange.headSent || exchange.abandoned) throw error;
      await this.#toService(visit);
    }
  }

  /** What a service is doing, for those who must not wake it by asking. */
  #serveWellKnown(visit: Visit, { kind, routedPath }: WellKnown): void {
    const { exchange } = visit;
    const { router, feed } = this.#tools;
    const match = routedPath === undefined ? undefined : router.match(exchange.host, routedPath);
    const service = (match ?? router.matchHost(exchange.host))?.service;
    if (!service) {
      this.#refuse(visit, unknownHost(exchange));
      return;
    }
    visit.service = service.name;
    visit.status = 200;
    feed.serve(exchange, kind, service);
  }

  #wish(visit: Visit, { view, name }: ServicePool, { route }: RouteMatch): LeaseWish {
    if (!view.sticky) return { port: route.port };
    visit.tie = this.#tools.affinity.read(name, visit.exchange.header('cookie'));
    return { port: route.port, prefer: visit.tie?.instanceId };
  }

  /** To an instance that is awake at once; else through the waiting room. One retry, where nothing can be served twice. */
  async #dispatch(visit: Visit, pool: ServicePool, wish: LeaseWish): Promise<void> {
    visit.service = pool.name;
    const first = pool.acquire(wish) ?? (await this.#hold(visit, pool, wish));
    if (!first) return;
    const error = await this.#forward(visit, pool, first, false);
    if (!error) return;
    if (!error.replayable || visit.exchange.headSent || visit.exchange.abandoned) throw error;
    this.#tools.tally.countRetry(pool.name, error);
    if (!error.stale) await this.#tools.dispatcher.suspect(pool.name, first.instanceId);
    const again = { ...wish, avoid: first.instanceId };
    const second = pool.acquire(again) ?? (await this.#hold(visit, pool, again));
    const errorAgain = second && (await this.#forward(visit, pool, second, true));
    if (errorAgain) throw errorAgain;
  }

  /** @returns undefined when it has been answered (or left) meanwhile */
  async #hold(visit: Visit, pool: ServicePool, wish: LeaseWish): Promise<Lease | undefined> {
    const held = await hold(visit, pool, wish, this.#tools.clock);
    if (held === 'left') visit.code = 'client_left';
    else if (held === 'shown') this.#showWaitingPage(visit, pool);
    else return held;
    return undefined;
  }

  /** @returns the error when nothing has reached the client */
  async #forward(visit: Visit, pool: ServicePool, lease: Lease, fresh: boolean): Promise<UpstreamError | undefined> {
    visit.instance = lease.instanceId;
    let outcome: LeaseOutcome | undefined = 'failed';
    try {
      const { protocol } = pool.view;
      const headers = this.#ownHeaders(visit, pool, lease);
      const onAnswered = (): void => lease.answered();
      const result = await this.#send(visit, lease.endpoint, headers, { fresh, protocol, onAnswered });
      visit.note(result);
      if (result.tunnel === undefined) outcome = LEASE_OUTCOME[result.outcome];
      else {
        visit.lease = lease;
        outcome = undefined;
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.stale || CLIENT_FAULTS.has(error.code)) outcome = 'abandoned';
      return error;
    } finally {
      if (outcome !== undefined) lease.release(outcome);
    }
  }

  /** While the process that serves it is replaced, nothing listens there for a moment. */
  async #toAdmin(visit: Visit): Promise<void> {
    const { admin, control } = this.#tools;
    visit.service = 'reveille';
    try {
      visit.note(await this.#send(visit, admin.endpoint, [], ADMIN_OPTIONS));
    } catch (error) {
      if (!(error instanceof UpstreamError) || !error.replayable) throw error;
      if (visit.exchange.headSent || visit.exchange.abandoned) throw error;
      await control.untilBack();
      visit.note(await this.#send(visit, admin.endpoint, [], ADMIN_OPTIONS));
    }
  }

  #send(visit: Visit, endpoint: Endpoint, headers: string[], options: ForwardOptions): Promise<ForwardResult> {
    const { forwarder } = this.#tools;
    return visit.upgrade
      ? forwarder.upgrade(visit.upgrade, endpoint, headers, options)
      : forwarder.forward(visit.exchange, endpoint, headers, options);
  }

  #ownHeaders(visit: Visit, pool: ServicePool, lease: Lease): string[] {
    const headers: string[] = [];
    const timing = visit.serverTiming();
    if (timing !== undefined) headers.push('server-timing', timing);
    if (pool.view.sticky) this.#tie(visit, pool.name, lease.instanceId, headers);
    return headers;
  }

  /** Keeps the client with this instance. One whose instance is gone stays the same client with another. */
  #tie(visit: Visit, service: string, instanceId: string, headers: string[]): void {
    const { affinity, sessions, clock } = this.#tools;
    visit.sessionId ??= visit.tie?.sessionId ?? affinity.newSessionId();
    const { tie, sessionId: id } = visit;
    if (tie?.instanceId !== instanceId)
      headers.push('set-cookie', affinity.issue(service, { sessionId: id, instanceId }));
    const clientHint = clientHintOf(visit.exchange);
    sessions.see({ id, service, instanceId, clientHint, seenAtEpochMs: clock.epochMs() });
  }

  #showWaitingPage(visit: Visit, pool: ServicePool): void {
    const { development, clock, notice } = this.#tools;
    const told = notice();
    visit.status = 503;
    visit.code = 'waking';
    const options = { development, nowEpochMs: clock.epochMs(), ...(told !== undefined && { notice: told }) };
    respondWithWaitingPage(visit.exchange, pool.view, options);
  }

  #answerError(visit: Visit, error: unknown): void {
    const known = this.#whenAway(errorOf(error, visit.service, this.#tools.clock.epochMs()));
    if (!known) {
      this.#tools.log.error(
        { err: error, requestId: visit.exchange.requestId },
        `a request failed in the proxy: ${messageOf(error)}`,
      );
    }
    const logTail = known?.code === 'wake_timeout' ? { logTail: this.#linesOfWake(known) } : {};
    this.#refuse(visit, { ...(known ?? { code: 'internal', detail: messageOf(error) }), ...logTail });
  }

  /** Nobody was there who could have woken it: that is another reason than a service that does not become ready. */
  #whenAway(error: ProxyError | undefined): ProxyError | undefined {
    if (error?.code !== 'wake_timeout' || !this.#tools.control.away) return error;
    const detail = `the control process, which wakes ${error.service ?? 'services'}, is away; it is waited for`;
    return { ...error, code: 'control_away', detail };
  }

  /** How far a start has come that goes on without the request. */
  #linesOfWake({ service = '' }: ProxyError): readonly string[] {
    return this.#tools.dispatcher.pool(service)?.view.progress?.lines ?? [];
  }

  #refuse(visit: Visit, error: ProxyError): void {
    const { development, clock } = this.#tools;
    visit.code = error.code;
    visit.detail = error.detail;
    visit.status = toProblem(error, { development }).status;
    respondWithError(visit.exchange, error, { development, nowEpochMs: clock.epochMs() });
  }
}

const LEASE_OUTCOME: Readonly<Record<ForwardResult['outcome'], LeaseOutcome>> = {
  completed: 'served',
  upstream_aborted: 'failed',
  abandoned: 'abandoned',
  client_stalled: 'abandoned',
};

/** What goes wrong by the client's doing says nothing about the instance. */
const CLIENT_FAULTS = new Set<string>(['body_timeout', 'body_too_large', 'body_length_mismatch', 'forwarder_closed']);
