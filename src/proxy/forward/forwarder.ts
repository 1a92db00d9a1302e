import type { Clock } from '../../lib/clock.ts';
import type { Endpoint } from '../../seam/fleet-view.ts';
import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { Bag } from './bag.ts';
import type { ForwardLimits } from './forward-limits.ts';
import { defaultForwardLimits } from './forward-limits.ts';
import type { ForwardResult } from './forward-result.ts';
import type { Cancellable, ForwardContext, ForwardedRequest } from './forward-context.ts';
import { ForwardedExchange } from './forwarded-exchange.ts';
import { Http2Pool } from './http2-pool.ts';
import type { Http1UpgradeExchange } from '../exchange/http1-upgrade-exchange.ts';
import { LoopTurns } from './loop-turns.ts';
import { Ticker, type Ticking } from './ticker.ts';
import type { ChannelPool } from './upstream-channel.ts';
import { UpstreamError } from './upstream-error.ts';
import { UpstreamPool } from './upstream-pool.ts';
import { viaOf } from './via.ts';

export interface ForwarderOptions {
  readonly clock: Clock;
  /** What differs from `defaultForwardLimits`. */
  readonly limits?: Partial<ForwardLimits>;
  /** Our name in Via, both ways. */
  readonly via?: string;
  /** Peers whose X-Forwarded-* are believed; asked for every request. */
  readonly trusted?: (remoteAddress: string) => boolean;
}

type Protocol = 'http' | 'h2c';

export interface ForwardOptions {
  /**
   * Makes a new connection whatever is idle. The one retry of a request whose error was `replayable` is made with it,
   * by whoever called: nothing is ever sent twice by itself.
   */
  readonly fresh?: boolean;
  /** What the upstream speaks; `http` unless given. */
  readonly protocol?: Protocol;
  /** Told once, when the head of the final response (or of a 101) is there: what follows may go on for hours. */
  readonly onAnswered?: () => void;
  /** Instead of the limit that holds for all. */
  readonly responseTimeoutMs?: number;
}

/** Sends requests to upstreams over connections of its own, and their responses back. */
export class Forwarder implements Ticking {
  readonly #context: ForwardContext;
  readonly #pools: Readonly<Record<Protocol, ChannelPool>>;
  readonly #clock: Clock;
  readonly #active = new Bag<Cancellable>();
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
    this.#pools = {
      http: new UpstreamPool({ ...all, responseLimits }, ticker),
      h2c: new Http2Pool({ ...all.http2, ...responseLimits, connectTimeoutMs: all.connectTimeoutMs }, ticker),
    };
    const onBegun = (exchange: Cancellable): void => this.#active.add(exchange);
    const onSettled = (exchange: Cancellable): void => this.#forget(exchange);
    this.#clock = clock;
    this.#context = { ticker, turns: new LoopTurns(), limits: all, via: viaOf(via), trusted, onBegun, onSettled };
  }

  /** Connections to upstreams, in use and idle. */
  get connections(): { readonly open: number; readonly idle: number } {
    const { http, h2c } = this.#pools;
    return { open: http.open + h2c.open, idle: http.idle + h2c.idle };
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
    const pool = this.#pools[protocol];
    const timeoutMs = responseTimeoutMs ?? this.#context.limits.responseTimeoutMs;
    return this.#run({ exchange, endpoint, pool, extra, fresh, onAnswered, responseTimeoutMs: timeoutMs });
  }

  /**
   * Forwards a WebSocket handshake. Resolves with the tunnel once it is open; a refused handshake is relayed as the
   * response that it is. It is one of HTTP/1.1, whatever else the upstream speaks.
   * @throws UpstreamError as `forward` does
   */
  upgrade(
    exchange: Http1UpgradeExchange,
    endpoint: Endpoint,
    extra: RawHeaders = [],
    { onAnswered }: ForwardOptions = {},
  ): Promise<ForwardResult> {
    const { responseTimeoutMs } = this.#context.limits;
    const shared = { exchange, endpoint, extra, onAnswered, responseTimeoutMs };
    return this.#run({ ...shared, pool: this.#pools.http, fresh: true, upgrade: exchange });
  }

  /** Waits for what is under way, at most `deadlineMs`; then cuts the rest. New requests are refused from now on. */
  async close(deadlineMs = 0): Promise<void> {
    const pools = Object.values(this.#pools);
    this.#closing = true;
    for (const pool of pools) pool.destroyIdle();
    await this.#whenEmpty(deadlineMs);
    this.#active.forEach((exchange) => exchange.cancel());
    for (const pool of pools) pool.destroyAll();
    this.#context.ticker.close();
  }

  /** For all exchanges together: the ticker need not know each of them. */
  tick(nowMs: number): void {
    this.#active.forEach((exchange) => exchange.tick(nowMs));
  }

  #run(request: ForwardedRequest): Promise<ForwardResult> {
    if (this.#closing) return Promise.reject(new UpstreamError('forwarder_closed', 'The proxy is being stopped.'));
    const forwarded = new ForwardedExchange(request, this.#context);
    if (this.#active.size === 0) this.#context.ticker.add(this);
    this.#active.add(forwarded);
    return forwarded.run();
  }

  #forget(exchange: Cancellable): void {
    this.#active.delete(exchange);
    if (this.#active.size > 0) return;
    this.#context.ticker.delete(this);
    for (const listener of this.#emptyListeners.splice(0)) listener();
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
