import { HttpClient } from '../shared/http-client.js';
import { describeError } from '../shared/log.js';

const FRESH_MS = 400;

/**
 * Asks the daemon whether the backend sleeps. `/.well-known/reveille` answers on any service's host and wakes nobody, so that the
 * page can watch the backend without keeping it up.
 */
export class BackendStatus {
  #url;
  #client = new HttpClient({ maxConnections: 2 });
  /** @type {{ at: number, answer: Promise<{ status: string, detail?: string }> } | undefined} */
  #latest;

  /** @param {string} origin  empty = nobody to ask */
  constructor(origin) {
    this.#url = origin && `${origin}/.well-known/reveille`;
  }

  /** @returns {Promise<{ status: string, detail?: string }>} one answer for all who ask at about the same time */
  read() {
    const now = performance.now();
    if (!this.#latest || now - this.#latest.at > FRESH_MS) this.#latest = { at: now, answer: this.#ask() };
    return this.#latest.answer;
  }

  close() {
    this.#client.close();
  }

  async #ask() {
    if (!this.#url) return { status: 'unknown', detail: 'DOMAIN is not set: this page runs without the daemon.' };
    try {
      const { status, text } = await this.#client.request(this.#url, { timeoutMs: 2_000 });
      const body = /** @type {unknown} */ (JSON.parse(text));
      if (status === 200 && typeof body === 'object' && body && 'status' in body && typeof body.status === 'string') {
        return { status: body.status };
      }
      return { status: 'unknown', detail: `The daemon answered ${status}.` };
    } catch (error) {
      return { status: 'unknown', detail: describeError(error) };
    }
  }
}
