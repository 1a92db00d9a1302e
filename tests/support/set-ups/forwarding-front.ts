import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { ClientHttp2Session, Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { ClientExchange, RawHeaders } from '../../../src/proxy/exchange/client-exchange.ts';
import type { ForwardLimits } from '../../../src/proxy/forward/forward-limits.ts';
import type { ForwardResult } from '../../../src/proxy/forward/forward-result.ts';
import { Forwarder } from '../../../src/proxy/forward/forwarder.ts';
import { Http1Exchange } from '../../../src/proxy/exchange/http1-exchange.ts';
import { Http1UpgradeExchange } from '../../../src/proxy/exchange/http1-upgrade-exchange.ts';
import { Http2Exchange } from '../../../src/proxy/exchange/http2-exchange.ts';
import type { RequestFacts } from '../../../src/proxy/exchange/request-facts.ts';
import { asksForWebSocket, putBackWithoutUpgrade } from '../../../src/proxy/exchange/upgrade-token.ts';
import { UpstreamError } from '../../../src/proxy/forward/upstream-error.ts';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';

export interface FrontOptions {
  readonly limits?: Partial<ForwardLimits>;
  readonly trusted?: (address: string) => boolean;
  readonly extra?: RawHeaders;
  readonly protocol?: 'http' | 'h2c';
}

const STATUS: Readonly<Record<string, number>> = {
  upstream_timeout: 504,
  connect_timeout: 504,
  body_timeout: 408,
  body_too_large: 413,
  body_length_mismatch: 400,
};

/** The least that a proxy is besides its forwarding core: no TLS, no rules, one upstream, the one retry. */
export class ForwardingFront {
  readonly forwarder: Forwarder;
  /** How requests ended, and tunnels. */
  readonly results: ForwardResult[] = [];
  readonly errors: UpstreamError[] = [];
  /** Handshakes, as long as anybody keeps them. */
  readonly upgrades: WeakRef<Http1UpgradeExchange>[] = [];
  /** Emits 'request' right after a request has been handed to the forwarder. */
  readonly requests = new EventEmitter();
  readonly #endpoint: Endpoint;
  readonly #extra: RawHeaders;
  readonly #protocol: 'http' | 'h2c';
  readonly #http1: Server;
  readonly #http2: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #clients: ClientHttp2Session[] = [];

  constructor(endpoint: Endpoint, { limits = {}, trusted, extra = [], protocol = 'http' }: FrontOptions = {}) {
    this.#endpoint = endpoint;
    this.#extra = extra;
    this.#protocol = protocol;
    this.forwarder = new Forwarder({
      clock: new SystemClock(),
      limits: { tickMs: 10, ...limits },
      ...(trusted && { trusted }),
    });
    this.#http1 = createServer((request, response) => this.#serve1(request, response));
    this.#http1.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#serve1(request, response),
    );
    this.#http1.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    this.#http2 = createHttp2Server();
    this.#http2.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.once('close', () => this.#sessions.delete(session));
    });
    this.#http2.on('stream', (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw: string[]) => {
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const at = raw.indexOf(':path');
      void this.#forward(new Http2Exchange(stream, raw, endStream, facts(raw[at + 1] ?? '/', '127.0.0.1')));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#http1.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => this.#http2.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#http1.address() as AddressInfo).port;
  }

  http2(): ClientHttp2Session {
    const session = connectHttp2(`http://127.0.0.1:${(this.#http2.address() as AddressInfo).port}`);
    session.on('error', () => undefined);
    this.#clients.push(session);
    return session;
  }

  async close(): Promise<void> {
    await this.forwarder.close();
    for (const client of this.#clients) client.destroy();
    for (const session of this.#sessions) session.destroy();
    this.#http1.closeAllConnections();
    await new Promise<void>((resolve) => this.#http1.close(() => resolve()));
    await new Promise<void>((resolve) => this.#http2.close(() => resolve()));
  }

  #serve1(request: IncomingMessage, response: ServerResponse): void {
    const address = request.socket.remoteAddress ?? '';
    void this.#forward(new Http1Exchange(request, response, facts(request.url ?? '/', address)));
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (!asksForWebSocket(request.method ?? '', request.rawHeaders)) {
      putBackWithoutUpgrade(request, socket, head);
      this.#http1.emit('connection', socket);
      return;
    }
    const exchange = new Http1UpgradeExchange(request, head, facts(request.url ?? '/', '127.0.0.1'));
    this.upgrades.push(new WeakRef(exchange));
    void this.#answer(exchange, this.forwarder.upgrade(exchange, this.#endpoint, this.#extra));
  }

  #forward(exchange: ClientExchange): Promise<void> {
    process.nextTick(() => this.requests.emit('request'));
    const protocol = this.#protocol;
    const once = this.forwarder.forward(exchange, this.#endpoint, this.#extra, { protocol }).catch((error: unknown) => {
      if (!(error instanceof UpstreamError) || !error.replayable) throw error;
      return this.forwarder.forward(exchange, this.#endpoint, this.#extra, { fresh: true, protocol });
    });
    return this.#answer(exchange, once);
  }

  async #answer(exchange: ClientExchange, forwarding: Promise<ForwardResult>): Promise<void> {
    try {
      const result = await forwarding;
      if (result.tunnel) result.tunnel.whenClosed(() => this.results.push(result));
      else this.results.push(result);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      this.errors.push(error);
      exchange.respond(STATUS[error.code] ?? 502, ['Content-Type', 'text/plain'], error.code);
    }
  }
}

function facts(target: string, remoteAddress: string): RequestFacts {
  return {
    requestId: 'request-1',
    target,
    host: 'app.test',
    authority: 'app.test:8443',
    serverName: undefined,
    secure: true,
    remoteAddress,
  };
}
