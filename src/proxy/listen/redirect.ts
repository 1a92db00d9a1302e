import { createServer, type Server } from 'node:net';
import { bind } from '../../lib/bind.ts';
import type { Logger } from '../../lib/logger.ts';
import { ConnectionGate } from './connection-gate.ts';
import { Drain, type DrainOptions } from './drain.ts';
import { hasContent, Http1Front, type Http1Request } from './http1-front.ts';
import { lingerOnClose } from './lingering-close.ts';
import type { Listening } from './listening.ts';
import { defaultListenerLimits, type ListenerLimits } from './listener-limits.ts';
import type { Refusal } from './refusal.ts';
import type { RequestIds } from './request-ids.ts';

export interface RedirectOptions {
  /** Asked at each request: the port may have become another one by a fall-back. */
  readonly httpsPort: () => number;
  readonly requestIds: RequestIds;
  readonly log: Logger;
  readonly trusted: (remoteAddress: string) => boolean;
  readonly limits?: Partial<ListenerLimits>;
  onRefused(refusal: Refusal): void;
}

const HTTPS_DEFAULT_PORT = 443;

/** Plain HTTP, which only ever says where HTTPS is: 308, so that method and body come along. */
export class Redirect {
  readonly #options: RedirectOptions;
  readonly #gate: ConnectionGate;
  readonly #front: Http1Front;
  readonly #drain: Drain;
  readonly #servers = new Map<string, Server>();
  #port = 0;
  #started = false;

  constructor(options: RedirectOptions) {
    const { requestIds, trusted } = options;
    const limits = { ...defaultListenerLimits, ...options.limits };
    this.#options = options;
    this.#gate = new ConnectionGate({ ...limits, trusted });
    this.#front = new Http1Front({
      limits,
      requestIds,
      onRequest: (request) => this.#answer(request),
      onRefused: (refusal) => options.onRefused(refusal),
    });
    this.#drain = new Drain({ gate: this.#gate, http1: this.#front });
  }

  get port(): number {
    return this.#port;
  }

  /** @throws CodedError as lib/bind.ts says */
  async listen(address: string, port: number): Promise<Listening> {
    if (!this.#started) this.#front.start();
    this.#started = true;
    this.#port = await this.#open(address, port);
    return { port: this.#port };
  }

  /** As Listener.drain. */
  async drain(options: DrainOptions): Promise<void> {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    await this.#drain.run(options);
    this.#front.close();
  }

  close(): Promise<void> {
    return this.drain({ timeoutMs: 0, announceMs: 0 });
  }

  async #open(address: string, port: number): Promise<number> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      if (this.#gate.admit(socket)) this.#front.accept(socket);
    });
    const bound = await bind(server, { address, port, setting: 'HTTP_PORT' });
    server.on('error', (error) => this.#options.log.error({ err: error, address }, 'the listening socket failed'));
    this.#servers.set(address, server);
    return bound;
  }

  /** The host has passed the same rules as over HTTPS, so that the answer cannot lead to anything but a host and a path. */
  #answer({ request, response, accepted, requestId }: Http1Request): void {
    const port = this.#options.httpsPort();
    const authority = port === HTTPS_DEFAULT_PORT ? accepted.host : `${accepted.host}:${port}`;
    const target = accepted.target === '*' ? '/' : accepted.target;
    if (hasContent(request)) {
      // It comes again with the next request; here it is dropped, past the parser.
      response.shouldKeepAlive = false;
      lingerOnClose(request.socket);
    }
    response.writeHead(308, [
      'location',
      `https://${authority}${target}`,
      'content-length',
      '0',
      'x-request-id',
      requestId,
    ]);
    response.end();
  }
}
