import type { Clock } from '../../lib/clock.ts';
import type { Endpoint } from '../../seam/fleet-view.ts';
import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import type { ForwardLimits } from './forward-limits.ts';
import { defaultForwardLimits } from './forward-limits.ts';
import type { ForwardResult } from './forward-result.ts';
import type { ForwardContext, ForwardedRequest } from './forward-context.ts';
import { ForwardedExchange } from './forwarded-exchange.ts';
import type { Http1UpgradeExchange } from '../exchange/http1-upgrade-exchange.ts';
import { LoopTurns } from './loop-turns.ts';
import { Ticker } from './ticker.ts';
import { UpstreamError } from './upstream-error.ts';
import { UpstreamPool } from './upstream-pool.ts';

export interface ForwarderOptions {
  readonly clock: Clock;
  /** What differs from `defaultForwardLimits`. */
  readonly limits?: Partial<ForwardLimits>;
  /** Our name in Via, both ways. */
  readonly via?: string;
  /** Peers whose X-Forwarded-* are believed; asked for every request. */
  readonly trusted?: (remoteAddress: string) => boolean;
}

export interface ForwardOptions {
  /**
   * Makes a new connection whatever is idle. The one retry of a request whose error was `replayable` is made with it,
   * by whoever called: nothing is ever sent twice by itself.
   */
  readonly fresh?: boolean;
  readonly protocol?: 'http' | 'h2c';
  /** Told once, when the head of the final response (or of a 101) is there: what follows may go on for hours. */
  readonly onAnswered?: () => void;
  /** Instead of the limit that holds for all. */
  readonly responseTimeoutMs?: number;
}

/** Sends requests to upstreams over connections of its own, and their responses back. */
export class Forwarder {
  readonly #context: ForwardContext;
  readonly #clock: Clock;
  readonly #active = new Set<ForwardedExchange>();
  readonly #emptyListeners: (() => void)[] = [];
  #closing = false;

  constructor({ clock, limits = {}, via = 'reveille', trusted = () => false }: ForwarderOptions) {
    const all = { ...defaultForwardLimits, ...limits };
    const ticker = new Ticker(clock, all.tickMs);
    const responseLimits = {
      maxHeadBytes: all.maxResponseHeaderBytes,
      maxFields: all.maxResponseFields,
      maxInterim: all.maxInterimResponses,
    };
    const pool = new UpstreamPool({ ...all, responseLimits }, ticker);
    const onSettled = (exchange: ForwardedExchange): void => this.#forget(exchange);
    this.#clock = clock;
    this.#context = { pool, ticker, turns: new LoopTurns(), limits: all, via, trusted, onSettled };
  }

  /** Connections to upstreams, in use and idle. */
  get connections(): { readonly open: number; readonly idle: number } {
    const { open, idle } = this.#context.pool;
    return { open, idle };
  }

  /** Requests and tunnels under way. */
  get inFlight(): number {
    return this.#active.size;
  }

  /**
   * Forwards the request and answers the exchange.
   * @param extra fields of ours for the response, such as Server-Timing and Set-Cookie
   * @throws UpstreamError when nothing has reached the client: the caller may try once more if it is `replayable`,
   *   and answers the exchange otherwise
   */
  forward(
    exchange: ClientExchange,
    endpoint: Endpoint,
    extra: RawHeaders = [],
    { fresh = false, protocol = 'http', onAnswered, responseTimeoutMs }: ForwardOptions = {},
  ): Promise<ForwardResult> {
    if (protocol !== 'http') {
      const message = `${endpoint.host}:${endpoint.port} is to be spoken to in ${protocol}, which is not built in yet; use protocol "http".`;
      return Promise.reject(new UpstreamError('protocol_unsupported', message));
    }
    const timeoutMs = responseTimeoutMs ?? this.#context.limits.responseTimeoutMs;
    return this.#run({ exchange, endpoint, extra, fresh, onAnswered, responseTimeoutMs: timeoutMs });
  }

  /**
   * Forwards a WebSocket handshake. Resolves when both ends of the tunnel are closed; a refused handshake is relayed
   * as the response that it is.
   * @throws UpstreamError as `forward` does
   */
  upgrade(
    exchange: Http1UpgradeExchange,
    endpoint: Endpoint,
    extra: RawHeaders = [],
    { onAnswered }: ForwardOptions = {},
  ): Promise<ForwardResult> {
    const { responseTimeoutMs } = this.#context.limits;
    return this.#run({ exchange, endpoint, extra, fresh: true, upgrade: exchange, onAnswered, responseTimeoutMs });
  }

  /** Waits for what is under way, at most `deadlineMs`; then cuts the rest. New requests are refused from now on. */
  async close(deadlineMs = 0): Promise<void> {
    const { pool, ticker } = this.#context;
    this.#closing = true;
    pool.destroyIdle();
    await this.#whenEmpty(deadlineMs);
    for (const exchange of this.#active) exchange.cancel();
    pool.destroyAll();
    ticker.close();
  }

  #run(request: ForwardedRequest): Promise<ForwardResult> {
    if (this.#closing) return Promise.reject(new UpstreamError('forwarder_closed', 'The proxy is being stopped.'));
    const forwarded = new ForwardedExchange(request, this.#context);
    this.#active.add(forwarded);
    return forwarded.run();
  }

  #forget(exchange: ForwardedExchange): void {
    this.#active.delete(exchange);
    if (this.#active.size === 0) for (const listener of this.#emptyListeners.splice(0)) listener();
  }

  #whenEmpty(deadlineMs: number): Promise<void> {
    if (this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.after(deadlineMs, resolve);
      this.#emptyListeners.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
