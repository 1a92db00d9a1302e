const MAX_BACKLOG_BYTES = 256 * 1024;
const HEARTBEAT_MS = 15_000;

/** The answers of one service that are `text/event-stream`: each event goes to everyone who listens. */
export class EventStreams {
  /** @type {Set<import('node:http').ServerResponse>} */
  #listeners = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  #heartbeat;
  #nextId = 1;

  get size() {
    return this.#listeners.size;
  }

  /**
   * Begins the event stream as the answer to this exchange.
   *
   * @param {import('./router.js').Exchange} exchange
   * @param {{ type: string, data: unknown }} first  sent at once, so that the caller knows where it stands
   */
  open({ request, response }, first) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.on('close', () => this.#drop(response));
    this.#listeners.add(response);
    // A comment now and then tells a vanished client from a quiet stream.
    this.#heartbeat ??= setInterval(() => this.#write(': still here\n\n'), HEARTBEAT_MS).unref();
    response.write(`retry: 1000\n\n${this.#format(first.type, first.data)}`);
  }

  /**
   * @param {string} type
   * @param {unknown} data
   */
  send(type, data) {
    if (this.#listeners.size > 0) this.#write(this.#format(type, data));
  }

  /** Ends every stream cleanly; a browser comes back after a second. */
  close() {
    for (const response of this.#listeners) response.end();
    this.#listeners.clear();
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  /**
   * @param {string} type
   * @param {unknown} data
   */
  #format(type, data) {
    return `id: ${this.#nextId++}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  /** @param {string} text */
  #write(text) {
    for (const response of this.#listeners) {
      // Whoever reads too slowly is cut off, so that the backlog stays bounded.
      if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
      else response.write(text);
    }
  }

  /** @param {import('node:http').ServerResponse} response */
  #drop(response) {
    this.#listeners.delete(response);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}
