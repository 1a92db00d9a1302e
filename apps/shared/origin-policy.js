import { HttpProblem } from './http-problem.js';

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */

/**
 * Which web pages may call a service from a browser: those of the same domain, and those that the machine itself serves.
 * Without this, any page on the web could start load or open a socket in its visitor's name.
 */
export class OriginPolicy {
  #domain;

  /** @param {string} domain  such as `alkimia.localhost`; empty when the service runs by itself */
  constructor(domain) {
    this.#domain = domain.toLowerCase();
  }

  /** @param {string | undefined} origin  the value of the Origin header */
  allows(origin) {
    if (!origin || !URL.canParse(origin)) return false;
    const { protocol, hostname } = new URL(origin);
    if (protocol !== 'https:' && protocol !== 'http:') return false;
    if (hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]') return true;
    return this.#domain !== '' && (hostname === this.#domain || hostname.endsWith(`.${this.#domain}`));
  }

  /**
   * Adds the CORS fields to the answer; answers a preflight by itself.
   *
   * @param {IncomingMessage} request
   * @param {ServerResponse} response
   * @returns {boolean} true when the request is answered
   */
  handle(request, response) {
    const { origin } = request.headers;
    response.appendHeader('vary', 'Origin');
    if (this.allows(origin)) {
      response.setHeader('access-control-allow-origin', /** @type {string} */ (origin));
      response.setHeader('access-control-allow-credentials', 'true');
      response.setHeader('access-control-expose-headers', 'X-Instance, Server-Timing, X-Request-Id, Location');
      response.setHeader('timing-allow-origin', /** @type {string} */ (origin));
    }
    const preflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (!preflight) return false;
    response.setHeader('access-control-allow-methods', 'GET, HEAD, POST, PUT, DELETE');
    response.setHeader('access-control-allow-headers', 'Content-Type, Last-Event-ID');
    response.setHeader('access-control-max-age', '600');
    response.writeHead(204).end();
    return true;
  }

  /**
   * For what has an effect though it is a GET: an image tag on a foreign page sends no Origin, but the browser says where it comes from.
   *
   * @param {IncomingMessage} request
   * @throws {HttpProblem} 403
   */
  refuseForeign(request) {
    const { origin } = request.headers;
    const foreign = origin === undefined ? request.headers['sec-fetch-site'] === 'cross-site' : !this.allows(origin);
    if (foreign) throw new HttpProblem(403, 'foreign_origin', 'A page of another site may not do this.');
  }
}
