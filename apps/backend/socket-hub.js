import { describeError } from '../shared/log.js';
import { HttpProblem } from '../shared/http-problem.js';
import { parseTarget } from '../shared/http-server.js';
import { QueryReader } from '../shared/query-reader.js';
import { acceptWebSocket, refuseUpgrade } from '../shared/websocket/handshake.js';

/** @typedef {import('../shared/websocket/connection.js').WebSocketConnection} WebSocketConnection */

const MAX_SOCKETS = 1_000;

/**
 * `/ws`: sends back every message as it came, and in between a JSON message of its own every two seconds.
 * `/ws?every=500` sets their pace in milliseconds, `/ws?every=0` switches them off.
 */
export class SocketHub {
  #instance;
  #origins;
  /** @type {Set<WebSocketConnection>} */
  #connections = new Set();

  /**
   * @param {import('../shared/instance.js').Instance} instance
   * @param {import('../shared/origin-policy.js').OriginPolicy} origins
   */
  constructor(instance, origins) {
    this.#instance = instance;
    this.#origins = origins;
  }

  get size() {
    return this.#connections.size;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:stream').Duplex} socket
   * @param {Buffer} head
   */
  accept(request, socket, head) {
    try {
      const everyMs = this.#admit(request);
      const connection = acceptWebSocket(request, socket, { 'x-instance': this.#instance.name });
      if (!connection) return;
      this.#connections.add(connection);
      this.#serve(connection, everyMs);
      connection.receiveHead(head);
    } catch (error) {
      refuseUpgrade(socket, error instanceof HttpProblem ? error.status : 500, describeError(error));
    }
  }

  /** Says "going away" to everyone. */
  close() {
    for (const connection of this.#connections) connection.close(1001, 'The instance ends.');
  }

  /** @param {import('node:http').IncomingMessage} request */
  #admit(request) {
    const url = parseTarget(request.url ?? '');
    if (url.pathname !== '/ws') throw new HttpProblem(404, 'not_found', 'There is no WebSocket here, but at /ws.');
    const { origin } = request.headers;
    // A browser lets any page open a socket to anywhere: only the server can refuse.
    if (origin !== undefined && !this.#origins.allows(origin)) {
      throw new HttpProblem(403, 'foreign_origin', 'A page of another site may not open this socket.');
    }
    if (this.#connections.size >= MAX_SOCKETS)
      throw new HttpProblem(503, 'too_many_sockets', 'Too many sockets are open.');
    const query = new QueryReader(url.searchParams);
    const everyMs = query.integer('every', { fallback: 2_000, min: 0, max: 600_000 });
    query.finish();
    return everyMs;
  }

  /**
   * @param {WebSocketConnection} connection
   * @param {number} everyMs
   */
  #serve(connection, everyMs) {
    let count = 0;
    const tell = () => {
      // These can be done without while the peer is behind.
      if (connection.congested) return;
      const type = count === 0 ? 'welcome' : 'tick';
      connection.send(
        JSON.stringify({ type, instance: this.#instance.name, count: count++, at: new Date().toISOString() }),
      );
    };
    const ticker = everyMs > 0 ? setInterval(tell, Math.max(50, everyMs)) : undefined;
    connection.on('message', (message) => connection.send(message));
    connection.on('close', () => {
      clearInterval(ticker);
      this.#connections.delete(connection);
    });
    if (everyMs > 0) tell();
  }
}
