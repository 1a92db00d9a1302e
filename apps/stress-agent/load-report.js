import { LatencyHistogram } from './latency-histogram.js';

const MAX_SECONDS = 600;
const MAX_NAMES = 32;

/** What came of the requests of one run, in bounded space. */
export class LoadReport {
  #begun = performance.now();
  #latency = new LatencyHistogram();
  #sent = 0;
  #answered = 0;
  #failed = 0;
  #skipped = 0;
  /** @type {Map<string, number>} */
  #statuses = new Map();
  /** @type {Map<string, number>} */
  #instances = new Map();
  /** @type {Map<string, number>} */
  #errors = new Map();
  /** @type {{ second: number, answered: number, failed: number }[]} */
  #seconds = [];

  countSent() {
    this.#sent += 1;
  }

  /** A request that was due while all slots were taken. @param {number} count */
  countSkipped(count) {
    this.#skipped += count;
  }

  /** @param {import('../shared/http-client.js').ClientResponse} response */
  countAnswer({ status, headers, durationMs }) {
    this.#answered += 1;
    this.#latency.record(durationMs);
    increment(this.#statuses, String(status));
    const instance = headers['x-instance'];
    if (typeof instance === 'string') increment(this.#instances, instance);
    const second = this.#second();
    if (status < 500) second.answered += 1;
    else second.failed += 1;
  }

  /** @param {string} reason */
  countError(reason) {
    this.#failed += 1;
    increment(this.#errors, reason);
    this.#second().failed += 1;
  }

  snapshot() {
    return {
      sent: this.#sent,
      answered: this.#answered,
      failed: this.#failed,
      skipped: this.#skipped,
      inFlight: this.#sent - this.#answered - this.#failed,
      latencyMs: this.#latency.summary(),
      statuses: Object.fromEntries(this.#statuses),
      instances: Object.fromEntries(this.#instances),
      errors: Object.fromEntries(this.#errors),
      seconds: this.#seconds.slice(-60),
    };
  }

  #second() {
    const second = Math.floor((performance.now() - this.#begun) / 1000);
    const last = this.#seconds.at(-1);
    if (last?.second === second) return last;
    const fresh = { second, answered: 0, failed: 0 };
    this.#seconds.push(fresh);
    if (this.#seconds.length > MAX_SECONDS) this.#seconds.shift();
    return fresh;
  }
}

/**
 * @param {Map<string, number>} counts
 * @param {string} name
 */
function increment(counts, name) {
  const key = counts.has(name) || counts.size < MAX_NAMES ? name : 'others';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
