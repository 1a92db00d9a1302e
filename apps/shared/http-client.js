import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { describeError } from './log.js';
import { localhostLookup } from './localhost-lookup.js';

/**
 * @typedef {object} ClientRequestOptions
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {number} [timeoutMs]   for the whole exchange; 10 s unless given
 * @property {AbortSignal} [signal]
 */

/**
 * @typedef {object} ClientResponse
 * @property {number} status
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {string} text
 * @property {number} durationMs
 */

const MAX_RESPONSE_BYTES = 1024 * 1024;

/**
 * Calls other services by their public names, over connections that are kept open. Certificates are checked against the
 * authorities of Node, to which NODE_EXTRA_CA_CERTS adds the one of the development daemon.
 */
export class HttpClient {
  #http;
  #https;

  /** @param {{ maxConnections: number }} options */
  constructor({ maxConnections }) {
    const options = { keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxConnections };
    this.#http = new HttpAgent(options);
    this.#https = new HttpsAgent(options);
  }

  /**
   * @param {string} url
   * @param {ClientRequestOptions} [options]
   * @returns {Promise<ClientResponse>}
   * @throws {Error} when no complete answer came; its message says why
   */
  async request(url, options = {}) {
    const begun = performance.now();
    const { timeoutMs = 10_000 } = options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const retriable = (options.method ?? 'GET') === 'GET';
    try {
      return await this.#exchange(url, options, signal, begun).catch((/** @type {unknown} */ error) => {
        // The server may hang up a kept connection in the very moment that we use it again.
        if (!(error instanceof StaleConnection) || !retriable) throw error;
        return this.#exchange(url, options, signal, begun);
      });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (timeout.aborted) throw new Error(`No answer within ${timeoutMs} ms.`, { cause: error });
      throw new Error(explain(error), { cause: error });
    }
  }

  close() {
    this.#http.destroy();
    this.#https.destroy();
  }

  /**
   * @param {string} url
   * @param {ClientRequestOptions} options
   * @param {AbortSignal} signal
   * @param {number} begun
   * @returns {Promise<ClientResponse>}
   */
  #exchange(url, { method = 'GET', headers = {} }, signal, begun) {
    return new Promise((resolve, reject) => {
      const common = { method, headers, signal, lookup: localhostLookup };
      const request = url.startsWith('https:')
        ? httpsRequest(url, { ...common, agent: this.#https })
        : httpRequest(url, { ...common, agent: this.#http });
      request.on('error', (error) => {
        const reset = /** @type {NodeJS.ErrnoException} */ (error).code === 'ECONNRESET';
        reject(reset && request.reusedSocket ? new StaleConnection(error.message, { cause: error }) : error);
      });
      request.on('response', (response) => {
        readText(response).then(
          (text) =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text,
              durationMs: performance.now() - begun,
            }),
          reject,
        );
      });
      request.end();
    });
  }
}

class StaleConnection extends Error {}

/**
 * @param {import('node:http').IncomingMessage} response
 * @returns {Promise<string>}
 */
async function readText(response) {
  /** @type {Buffer[]} */
  const chunks = [];
  let size = 0;
  for await (const bytes of /** @type {AsyncIterable<Buffer>} */ (response)) {
    size += bytes.length;
    if (size > MAX_RESPONSE_BYTES) throw new Error(`The answer is longer than ${MAX_RESPONSE_BYTES} bytes.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * @param {unknown} error
 * @returns {string}
 */
function explain(error) {
  const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
  if (/CERT|SIGNATURE|SELF_SIGNED|ISSUER/.test(code)) {
    return `The certificate is not trusted (${code}): NODE_EXTRA_CA_CERTS must name the file of its authority.`;
  }
  if (code === 'ECONNREFUSED') return 'Nobody listens there (ECONNREFUSED): is the daemon running?';
  return describeError(error) || code;
}
