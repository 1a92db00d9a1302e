import { createServer } from 'node:http';
import { HttpProblem } from './http-problem.js';
import { describeError, log } from './log.js';
import { sendProblem } from './respond.js';

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */
/** @typedef {import('node:stream').Duplex} Duplex */

/**
 * @typedef {object} HttpServerOptions
 * @property {import('./router.js').Router} router
 * @property {import('./instance.js').Instance} instance
 * @property {import('./origin-policy.js').OriginPolicy} [origins]   answers CORS; without it no other origin may read an answer
 * @property {(request: IncomingMessage, socket: Duplex, head: Buffer) => void} [onUpgrade]
 */

/** Shorter than the two seconds in which a service has to end. */
const CLOSE_GRACE_MS = 1_200;

/** An HTTP/1.1 server that routes, turns errors into problems and ends gracefully. */
export class HttpServer {
  #options;
  #server;
  #closing = false;
  /** Requests taken since the start. */
  served = 0;

  /** @param {HttpServerOptions} options */
  constructor(options) {
    this.#options = options;
    this.#server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000, connectionsCheckingInterval: 5_000 });
    // Longer than a proxy keeps its idle connections: the side that sends requests should be the one that hangs up.
    this.#server.keepAliveTimeout = 75_000;
  }

  /**
   * @param {number} port   0 = one that the system chooses
   * @param {string} host
   * @returns {Promise<number>} the port
   */
  async start(port, host) {
    const server = this.#server;
    server.on('request', (request, response) => void this.#answer(request, response));
    server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      else socket.destroy();
    });
    const { onUpgrade } = this.#options;
    if (onUpgrade) {
      server.on('upgrade', (request, socket, head) => {
        socket.on('error', () => socket.destroy());
        onUpgrade(request, socket, head);
      });
    }
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve(undefined));
    });
    server.on('error', (error) => log('The server has an error.', { error: describeError(error) }));
    return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
  }

  /**
   * Takes no new connection and lets open requests finish.
   *
   * @param {number} [graceMs]  after which they are cut
   */
  async close(graceMs = CLOSE_GRACE_MS) {
    if (this.#closing) return;
    this.#closing = true;
    const closed = new Promise((resolve) => this.#server.close(() => resolve(undefined)));
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cut);
  }

  /**
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   */
  async #answer(request, response) {
    const { router, instance, origins } = this.#options;
    this.served += 1;
    request.on('error', () => response.destroy());
    response.on('error', () => response.destroy());
    response.setHeader('x-instance', instance.name);
    response.setHeader('x-content-type-options', 'nosniff');
    if (this.#closing) response.setHeader('connection', 'close');
    try {
      if (origins?.handle(request, response)) return;
      const url = parseTarget(request.url ?? '');
      const { handler, params } = router.find(request.method ?? 'GET', url.pathname);
      await handler({ request, response, url, params });
    } catch (error) {
      answerError(request, response, error);
    }
  }
}

/**
 * @param {string} target  the request target in origin form
 * @returns {URL}
 */
export function parseTarget(target) {
  // The target is appended and not resolved: `//host/` would otherwise name another host.
  const text = `http://service${target}`;
  if (!target.startsWith('/') || !URL.canParse(text)) {
    throw new HttpProblem(400, 'bad_target', 'The request target is not a path.');
  }
  return new URL(text);
}

/**
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {unknown} error
 */
function answerError(request, response, error) {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (error instanceof HttpProblem) {
    sendProblem(response, error);
    return;
  }
  log('A request failed.', { method: request.method, url: request.url, error: describeError(error) });
  sendProblem(response, new HttpProblem(500, 'internal_error', 'The service failed; its log says why.'));
}
