import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { createServer, type Server } from 'node:tls';
import { bind } from '../../lib/bind.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ClientExchange } from '../exchange/client-exchange.ts';
import { ConnectionGate } from './connection-gate.ts';
import { destroyOnError } from './destroy-on-error.ts';
import { Drain, type DrainOptions } from './drain.ts';
import { Http1Exchange } from '../exchange/http1-exchange.ts';
import { Http1Front, type Http1Request, type Http1Upgrade } from './http1-front.ts';
import { Http1UpgradeExchange } from '../exchange/http1-upgrade-exchange.ts';
import { Http2Exchange } from '../exchange/http2-exchange.ts';
import { Http2Arrivals } from './http2-arrivals.ts';
import type { Listening } from './listening.ts';
import { Http2Front, type Http2Request } from './http2-front.ts';
import { defaultListenerLimits, type ListenerLimits } from './listener-limits.ts';
import { serverNameOf } from './peer.ts';
import type { Refusal } from './refusal.ts';
import type { RequestFacts } from '../exchange/request-facts.ts';
import type { RequestIds } from './request-ids.ts';
import type { AcceptedRequest } from './request-rules.ts';
import { tlsServerOptions, type CertificateMaterial } from './tls-server-options.ts';

/** Where the certificates come from; tls/certificate-store.ts is one. */
export interface CertificateSource {
  /** Never throws. Undefined stands for a client that sends no name. */
  contextFor(serverName: string | undefined): SecureContext;
  /** For clients that send no name. */
  defaultMaterial(): CertificateMaterial;
  onChange(listener: () => void): () => void;
}

interface ListenerHandlers {
  onExchange(exchange: ClientExchange): void;
  /** A WebSocket handshake over HTTP/1.1. */
  onUpgrade(exchange: Http1UpgradeExchange): void;
  /** A request that was answered here, for the access log and the counters. */
  onRefused(refusal: Refusal): void;
}

export interface ListenerOptions {
  readonly certificates: CertificateSource;
  readonly handlers: ListenerHandlers;
  readonly requestIds: RequestIds;
  readonly log: Logger;
  /** A proxy in front of us, which has no limit on its connections. */
  readonly trusted: (remoteAddress: string) => boolean;
  readonly limits?: Partial<ListenerLimits>;
  /** 48 bytes shared by every process that should resume the sessions of the others. */
  readonly ticketKeys?: Buffer;
}

/**
 * The front door: TLS on one or more addresses, and HTTP/1.1 or HTTP/2 behind it as ALPN decides.
 * `createSecureServer({ allowHTTP1 })` of Node would leave HTTP/1 without its timeouts, hence the two fronts.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #gate: ConnectionGate;
  readonly #http1: Http1Front;
  readonly #http2: Http2Front;
  readonly #limits: ListenerLimits;
  readonly #ticketKeys: Buffer;
  readonly #servers = new Map<string, Server>();
  readonly #drain: Drain;
  #stopWatching: (() => void) | undefined;
  #port = 0;

  constructor(options: ListenerOptions) {
    const { handlers, requestIds, trusted } = options;
    const limits = { ...defaultListenerLimits, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#ticketKeys = options.ticketKeys ?? randomBytes(48);
    this.#gate = new ConnectionGate({ ...limits, trusted });
    const onRefused = (refusal: Refusal): void => handlers.onRefused(refusal);
    this.#http1 = new Http1Front({
      limits,
      requestIds,
      onRefused,
      onRequest: (request) => handlers.onExchange(http1Exchange(request)),
      onUpgrade: (upgrade) => handlers.onUpgrade(upgradeExchange(upgrade, limits.stallTimeoutMs)),
    });
    const http2Arrivals = new Http2Arrivals((exchange) => handlers.onExchange(exchange));
    this.#http2 = new Http2Front({
      limits,
      requestIds,
      onRefused,
      onRequest: (request) => http2Arrivals.add(http2Exchange(request)),
    });
    this.#drain = new Drain({ gate: this.#gate, http1: this.#http1, http2: this.#http2 });
  }

  /** The port of all addresses, once it listens. */
  get port(): number {
    return this.#port;
  }

  get addresses(): string[] {
    return [...this.#servers.keys()];
  }

  /** For the metrics: open TCP connections, those that speak HTTP/1, HTTP/2 sessions, and connections turned away so far. */
  get counts(): { open: number; http1: number; sessions: number; turnedAway: number } {
    const { open, turnedAway } = this.#gate;
    return { open, http1: this.#http1.connections, sessions: this.#http2.sessions, turnedAway };
  }

  /** @throws CodedError as lib/bind.ts says */
  async listen(address: string, port: number): Promise<Listening> {
    this.#begin();
    this.#port = await this.#open(address, port);
    return { port: this.#port };
  }

  /** One more address with the same port. Does nothing when it is listened on already. */
  async listenAlso(address: string): Promise<void> {
    if (!this.#servers.has(address)) await this.#open(address, this.#port);
  }

  /** No new connections on this address; those it has stay. */
  stopListening(address: string): void {
    this.#servers.get(address)?.close();
    this.#servers.delete(address);
  }

  /**
   * Takes no new connection, lets what runs come to its end and tells every client to go elsewhere.
   * Resolves when all connections are gone, at the latest at the deadline, when the rest is cut.
   */
  async drain(options: DrainOptions): Promise<void> {
    for (const address of this.addresses) this.stopListening(address);
    await this.#drain.run(options);
    this.#stopWatching?.();
    this.#http1.close();
  }

  /** Ends at once. */
  close(): Promise<void> {
    return this.drain({ timeoutMs: 0, announceMs: 0 });
  }

  #begin(): void {
    if (this.#stopWatching !== undefined) return;
    this.#http1.start();
    this.#stopWatching = this.#options.certificates.onChange(() => this.#renew());
  }

  async #open(address: string, port: number): Promise<number> {
    const { certificates, log } = this.#options;
    const server = createServer({
      ...tlsServerOptions(certificates.defaultMaterial(), this.#ticketKeys),
      handshakeTimeout: this.#limits.handshakeTimeoutMs,
      SNICallback: (name, done) => {
        done(null, certificates.contextFor(name));
      },
    });
    server.on('connection', (socket: Socket) => this.#gate.admit(socket));
    server.on('secureConnection', (socket) => this.#onSecure(socket));
    server.on('tlsClientError', (error, socket) => {
      log.debug({ err: error, remoteAddress: socket.remoteAddress }, 'TLS handshake failed');
      socket.destroy();
    });
    const bound = await bind(server, { address, port, setting: 'HTTPS_PORT' });
    server.on('error', (error) => log.error({ err: error, address }, 'the listening socket failed'));
    this.#servers.set(address, server);
    return bound;
  }

  #onSecure(socket: TLSSocket): void {
    destroyOnError(socket);
    // A client may ask for nothing but trouble by it, and TLS 1.3 has none.
    socket.disableRenegotiation();
    if (socket.alpnProtocol === 'h2') this.#http2.accept(socket);
    else this.#http1.accept(socket);
  }

  /** Named clients get the new certificate from `contextFor`; the others from the context of the server itself. */
  #renew(): void {
    const options = tlsServerOptions(this.#options.certificates.defaultMaterial(), this.#ticketKeys);
    for (const server of this.#servers.values()) server.setSecureContext(options);
  }
}

function http1Exchange({ request, response, accepted, requestId, remoteAddress }: Http1Request): Http1Exchange {
  const serverName = serverNameOf(request.socket);
  return new Http1Exchange(request, response, factsOf(accepted, requestId, remoteAddress, serverName));
}

function upgradeExchange(
  { request, head, accepted, requestId, remoteAddress }: Http1Upgrade,
  stallTimeoutMs: number,
): Http1UpgradeExchange {
  const facts = factsOf(accepted, requestId, remoteAddress, serverNameOf(request.socket));
  return new Http1UpgradeExchange(request, head, facts, stallTimeoutMs);
}

function http2Exchange(request: Http2Request): Http2Exchange {
  const { stream, rawHeaders, endStream, accepted, requestId, remoteAddress, serverName } = request;
  return new Http2Exchange(stream, rawHeaders, endStream, factsOf(accepted, requestId, remoteAddress, serverName));
}

/** Field by field, because this is done for every request and V8 spreads objects slowly. */
function factsOf(
  { target, host, authority }: AcceptedRequest,
  requestId: string,
  remoteAddress: string,
  serverName: string | undefined,
): RequestFacts {
  return { requestId, target, host, authority, serverName, secure: true, remoteAddress };
}
