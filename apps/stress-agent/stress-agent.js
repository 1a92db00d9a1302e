import { EventStreams } from '../shared/event-stream.js';
import { HttpClient } from '../shared/http-client.js';
import { HttpProblem } from '../shared/http-problem.js';
import { HttpServer } from '../shared/http-server.js';
import { identifyInstance } from '../shared/instance.js';
import { OriginPolicy } from '../shared/origin-policy.js';
import { addPage } from '../shared/page-files.js';
import { PublicAddress } from '../shared/public-address.js';
import { sendJson, sendNothing } from '../shared/respond.js';
import { Router } from '../shared/router.js';
import { readLoadPlan } from './load-plan.js';
import { StressSession } from './stress-session.js';

/** @typedef {import('../shared/router.js').Exchange} Exchange */

const REPORT_EVERY_MS = 500;
const PAGE_FILES = ['stress-agent/page/page.css', 'stress-agent/page/page.js'];

/** Drives the backend's stress endpoints, and requests at it, through the proxy: by its public name, as anyone else would. */
export class StressAgent {
  #instance;
  #origins;
  #target;
  #server;
  #events = new EventStreams();
  #client = new HttpClient({ maxConnections: 200 });
  /** @type {StressSession | undefined} */
  #session;
  #count = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #reporter;

  /** @param {NodeJS.ProcessEnv} env  BACKEND_SUBDOMAIN and DOMAIN say where the backend is; BACKEND_ORIGIN says it whole */
  constructor(env) {
    const address = new PublicAddress(env);
    this.#instance = identifyInstance(env, 'stress-agent');
    this.#origins = new OriginPolicy(address.domain);
    this.#target = env.BACKEND_ORIGIN || (address.domain ? address.origin(env.BACKEND_SUBDOMAIN || 'server') : '');
    this.#server = new HttpServer({ router: this.#routes(), instance: this.#instance });
  }

  /**
   * @param {number} port
   * @param {string} host
   */
  start(port, host) {
    return this.#server.start(port, host);
  }

  async close() {
    clearInterval(this.#reporter);
    this.#session?.stop();
    this.#events.close();
    await this.#server.close();
    this.#client.close();
  }

  #routes() {
    const router = new Router();
    addPage(router, { page: 'stress-agent/page/index.html', files: PAGE_FILES });
    router.on('GET', '/ping', ({ response }) => sendJson(response, 200, { pong: true, instance: this.#instance.name }));
    router.on('GET POST', '/stress', (exchange) => this.#begin(exchange, 'constant'));
    router.on('GET POST', '/stress-incremental', (exchange) => this.#begin(exchange, 'incremental'));
    router.on('GET POST', '/stop', (exchange) => this.#stop(exchange));
    router.on('GET', '/status', ({ response }) => sendJson(response, 200, this.#status()));
    router.on('GET', '/events', (exchange) => this.#events.open(exchange, { type: 'status', data: this.#status() }));
    router.on('GET', '/busy', ({ response }) => this.#busy(response));
    return router;
  }

  /**
   * @param {Exchange} exchange
   * @param {'constant' | 'incremental'} kind
   */
  #begin({ request, response, url }, kind) {
    this.#origins.refuseForeign(request);
    const plan = readLoadPlan(kind, url.searchParams);
    if (!this.#target) {
      throw new HttpProblem(
        503,
        'no_backend',
        'Set DOMAIN and BACKEND_SUBDOMAIN (or BACKEND_ORIGIN), to say where the backend is.',
      );
    }
    const replaced = this.#session?.running ? this.#session.id : null;
    this.#session?.stop();
    const session = new StressSession(`run-${++this.#count}`, plan, { client: this.#client, origin: this.#target });
    this.#session = session;
    this.#reporter ??= setInterval(() => this.#report(), REPORT_EVERY_MS);
    void session.run().then(() => this.#report());
    const body = {
      accepted: true,
      id: session.id,
      target: this.#target,
      ...plan,
      replaced,
      status: '/status',
      stop: '/stop',
    };
    sendJson(response, 202, body, { location: '/status' });
  }

  /** @param {Exchange} exchange */
  #stop({ request, response }) {
    this.#origins.refuseForeign(request);
    const stopped = this.#session?.running ? this.#session.id : null;
    this.#session?.stop();
    this.#report();
    sendJson(response, 200, { stopped });
  }

  /**
   * For `sleep.unless.probe` in the manifest: a run goes on though nobody looks, and whoever drives load should not be put to sleep.
   *
   * @param {Exchange['response']} response
   */
  #busy(response) {
    if (!this.#session?.running) throw new HttpProblem(404, 'idle', 'No run is under way.');
    sendNothing(response);
  }

  #status() {
    return {
      instance: this.#instance.name,
      target: this.#target,
      running: this.#session?.running ?? false,
      run: this.#session?.status() ?? null,
    };
  }

  #report() {
    this.#events.send('status', this.#status());
    if (this.#session?.running) return;
    clearInterval(this.#reporter);
    this.#reporter = undefined;
  }
}
