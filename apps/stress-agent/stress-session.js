import { describeError, log } from '../shared/log.js';
import { driveLoad } from './drive-load.js';
import { LoadReport } from './load-report.js';

/** @typedef {import('./load-plan.js').LoadPlan} LoadPlan */
/** @typedef {'running' | 'finished' | 'stopped' | 'failed'} Phase */

/**
 * @typedef {object} BackendAnswer
 * @property {number} [status]
 * @property {unknown} [body]
 * @property {string} [error]
 */

/** The first call may have to build and wake the backend. */
const WAKE_TIMEOUT_MS = 120_000;

/** One run: asks the backend for CPU load, sends requests at it meanwhile, and keeps the result. */
export class StressSession {
  #client;
  #origin;
  #abort = new AbortController();
  #report = new LoadReport();
  #startedAt = new Date();
  #begun = performance.now();
  #elapsedMs = 0;
  /** @type {BackendAnswer | null} */
  #backend = null;
  /** @type {Phase} */
  #phase = 'running';
  id;
  plan;

  /**
   * @param {string} id
   * @param {LoadPlan} plan
   * @param {{ client: import('../shared/http-client.js').HttpClient, origin: string }} target
   */
  constructor(id, plan, { client, origin }) {
    this.id = id;
    this.plan = plan;
    this.#client = client;
    this.#origin = origin;
  }

  get running() {
    return this.#phase === 'running';
  }

  /** Resolves when the run is over; never rejects. */
  async run() {
    const { plan } = this;
    log('Stress begins.', { run: this.id, target: this.#origin, totalMs: plan.totalMs });
    const stress = this.#askBackend();
    await driveLoad({
      client: this.#client,
      url: `${this.#origin}${plan.requestPath}`,
      stages: plan.stages,
      concurrency: plan.concurrency,
      report: this.#report,
      signal: this.#abort.signal,
    });
    await stress;
    if (this.running) this.#end(this.#backend?.status === 202 ? 'finished' : 'failed');
  }

  /** Ends the requests, and asks the backend to end its load. */
  stop() {
    if (!this.running) return;
    this.#end('stopped');
    this.#abort.abort();
    this.#client
      .request(`${this.#origin}/api/stress/stop`, { timeoutMs: 5_000 })
      .catch((/** @type {unknown} */ error) => {
        log('The backend was not told to stop.', { run: this.id, error: describeError(error) });
      });
  }

  status() {
    return {
      id: this.id,
      phase: this.#phase,
      target: this.#origin,
      startedAt: this.#startedAt.toISOString(),
      elapsedMs: Math.round(this.running ? performance.now() - this.#begun : this.#elapsedMs),
      totalMs: this.plan.totalMs,
      plan: this.plan,
      backend: this.#backend,
      load: this.#report.snapshot(),
    };
  }

  async #askBackend() {
    const url = `${this.#origin}${this.plan.backendPath}`;
    try {
      const { status, text } = await this.#client.request(url, {
        timeoutMs: WAKE_TIMEOUT_MS,
        signal: this.#abort.signal,
      });
      this.#backend = { status, body: parseBody(text) };
      if (status !== 202) log('The backend refused.', { run: this.id, status });
    } catch (error) {
      if (!this.running) return;
      this.#backend = { error: describeError(error) };
      log('The backend cannot be reached.', { run: this.id, url, error: describeError(error) });
    }
  }

  /** @param {Phase} phase */
  #end(phase) {
    this.#elapsedMs = performance.now() - this.#begun;
    this.#phase = phase;
    const { answered, failed } = this.#report.snapshot();
    log('Stress ends.', { run: this.id, outcome: phase, answered, failed });
  }
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function parseBody(text) {
  try {
    return /** @type {unknown} */ (JSON.parse(text));
  } catch {
    return text.slice(0, 500);
  }
}
