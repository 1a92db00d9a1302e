import type { Affinity } from '../dispatch/affinity.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { DispatchError } from '../dispatch/errors.ts';
import type { Lease, LeaseOutcome } from '../dispatch/lease.ts';
import type { SessionBoard } from '../dispatch/session-board.ts';
import type { LeaseWish, ServicePool } from '../dispatch/service-pool.ts';
import type { Clock } from '../lib/clock.ts';
import { unknownHost } from './answers/error-of.ts';
import { respondWithWaitingPage } from './answers/page-response.ts';
import { clientHintOf } from './client-hint.ts';
import { maxForwards } from './exchange/max-forwards.ts';
import type { Forwarder } from './forward/forwarder.ts';
import type { ForwardResult } from './forward/forward-result.ts';
import { UpstreamError } from './forward/upstream-error.ts';
import { hold } from './hold.ts';
import type { Refusals } from './refusals.ts';
import type { RouteMatch } from './path-table.ts';
import type { Router } from './router.ts';
import { send } from './send.ts';
import type { TrafficTally } from './traffic-tally.ts';
import type { Visit } from './visit.ts';

export interface ServiceVisitsTools {
  readonly router: Router;
  readonly dispatcher: Dispatcher;
  readonly forwarder: Forwarder;
  readonly affinity: Affinity;
  readonly sessions: SessionBoard;
  readonly refusals: Refusals;
  readonly tally: TrafficTally;
  readonly clock: Clock;
  readonly development: boolean;
  /** What everyone who waits should know. */
  readonly notice: () => string | undefined;
}

/** What the proxy itself makes no difference between. */
const ALLOWED = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Brings requests to an instance of their service: at once where one is awake, else when one is. */
export class ServiceVisits {
  readonly #tools: ServiceVisitsTools;

  constructor(tools: ServiceVisitsTools) {
    this.#tools = tools;
  }

  /** No `async`: a promise around that of the next step would cost every request. Undefined: it has been answered. */
  serve(visit: Visit): Promise<void> | undefined {
    const { router, refusals } = this.#tools;
    const { exchange } = visit;
    const match = router.match(exchange.host, exchange.target);
    if (!match) {
      refusals.refuse(visit, unknownHost(exchange));
      return undefined;
    }
    if (maxForwards(exchange) === 0) {
      this.#answerAsLast(visit);
      return undefined;
    }
    return this.#dispatch(visit, match.pool, this.#wish(visit, match));
  }

  /** RFC 9110 7.6.2: the request has come as far as its sender wanted. What it carries is not sent back to anyone (9.3.8). */
  #answerAsLast(visit: Visit): void {
    if (visit.exchange.method === 'TRACE') {
      const detail = 'this proxy answers no TRACE';
      this.#tools.refusals.refuse(visit, { code: 'method_not_allowed', detail, allow: ALLOWED });
      return;
    }
    visit.status = 200;
    visit.exchange.respond(200, ['Allow', ALLOWED], '');
  }

  #wish(visit: Visit, { pool, route }: RouteMatch): LeaseWish {
    if (!pool.view.sticky) return { port: route.port };
    visit.tie = this.#tools.affinity.read(pool.name, visit.exchange.header('cookie'));
    return { port: route.port, prefer: visit.tie?.instanceId };
  }

  /** To an instance that is awake at once; else through the waiting room. One retry, where nothing can be served twice. */
  async #dispatch(visit: Visit, pool: ServicePool, wish: LeaseWish): Promise<void> {
    visit.service = pool.name;
    for (let retries = 0; ; retries += 1) {
      const lease = pool.acquire(wish) ?? (await this.#hold(visit, pool, wish));
      if (!lease) return;
      visit.instance = lease.instanceId;
      try {
        this.#served(visit, lease, await this.#send(visit, pool, lease, retries > 0));
        return;
      } catch (error) {
        await this.#beforeRetry(visit, pool, lease, retries, error);
        wish = afterFailure(wish, lease, error);
      }
    }
  }

  /**
   * A service that leaves the manifest may leave its routes to another one: who still waits for it goes there.
   * @returns undefined when it has been answered (or left) meanwhile
   */
  async #hold(visit: Visit, pool: ServicePool, wish: LeaseWish): Promise<Lease | undefined> {
    try {
      const held = await hold(visit, pool, wish, this.#tools.clock);
      if (held === 'left') visit.code = 'client_left';
      else if (held === 'shown') this.#showWaitingPage(visit, pool);
      else return held;
    } catch (error) {
      if (!this.#isRemoved(pool, error) || visit.exchange.abandoned) throw error;
      await this.serve(visit);
    }
    return undefined;
  }

  #isRemoved(pool: ServicePool, error: unknown): boolean {
    const isWithout = error instanceof DispatchError && error.code === 'no_upstream';
    return isWithout && this.#tools.dispatcher.pool(pool.name) !== pool;
  }

  #send(visit: Visit, pool: ServicePool, lease: Lease, fresh: boolean): Promise<ForwardResult> {
    const { protocol } = pool.view;
    const onAnswered = (): void => lease.answered();
    const headers = this.#ownHeaders(visit, pool, lease);
    return send(this.#tools.forwarder, visit, lease.endpoint, headers, { fresh, protocol, onAnswered });
  }

  #served(visit: Visit, lease: Lease, result: ForwardResult): void {
    visit.note(result);
    if (result.tunnel === undefined) lease.release(LEASE_OUTCOME[result.outcome]);
    else visit.lease = lease;
  }

  /** @throws `error` unless the request may be sent once more: nothing of an answer has reached the client */
  async #beforeRetry(visit: Visit, pool: ServicePool, lease: Lease, retries: number, error: unknown): Promise<void> {
    const isUpstreams = error instanceof UpstreamError;
    lease.release(isUpstreams && (error.stale || CLIENT_FAULTS.has(error.code)) ? 'abandoned' : 'failed');
    const { headSent, abandoned } = visit.exchange;
    if (!isUpstreams || !error.replayable || retries > 0 || headSent || abandoned) throw error;
    this.#tools.tally.countRetry(pool.name, error);
    // Of a kept connection only who is tied to the instance has to know whether it was more than that.
    const isTied = visit.tie?.instanceId === lease.instanceId;
    if (!error.stale || isTied) await this.#tools.dispatcher.suspect(pool.name, lease.instanceId);
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
}

/** A kept connection that breaks off says nothing about its instance: who is tied to that stays, as long as it is there. */
function afterFailure(wish: LeaseWish, { instanceId }: Lease, error: unknown): LeaseWish {
  const wasConnection = error instanceof UpstreamError && error.stale;
  return wasConnection && wish.prefer === instanceId ? wish : { ...wish, avoid: instanceId };
}

const LEASE_OUTCOME: Readonly<Record<ForwardResult['outcome'], LeaseOutcome>> = {
  completed: 'served',
  upstream_aborted: 'failed',
  abandoned: 'abandoned',
  client_stalled: 'abandoned',
};

/** What goes wrong by the client's doing says nothing about the instance. */
const CLIENT_FAULTS = new Set<string>(['body_timeout', 'body_too_large', 'body_length_mismatch', 'forwarder_closed']);
