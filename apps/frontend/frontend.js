import { HttpServer } from '../shared/http-server.js';
import { identifyInstance } from '../shared/instance.js';
import { addPage } from '../shared/page-files.js';
import { PublicAddress } from '../shared/public-address.js';
import { sendJson } from '../shared/respond.js';
import { Router } from '../shared/router.js';
import { BackendStatus } from './backend-status.js';

const PAGE_FILES = [
  'frontend/page/page.css',
  'frontend/page/page.js',
  'frontend/page/backend.js',
  'frontend/page/request-log.js',
  'frontend/page/socket-card.js',
  'frontend/page/stress-card.js',
];

/** Serves the page, and tells it where the backend is. */
export class Frontend {
  #instance;
  #address;
  #backend;
  #status;
  #server;

  /** @param {NodeJS.ProcessEnv} env */
  constructor(env) {
    this.#instance = identifyInstance(env, 'frontend');
    this.#address = new PublicAddress(env);
    this.#backend = env.BACKEND_SUBDOMAIN || 'server';
    this.#status = new BackendStatus(this.#address.domain ? this.#address.origin(this.#backend) : '');
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
    this.#status.close();
    await this.#server.close();
  }

  #routes() {
    const router = new Router();
    addPage(router, { page: 'frontend/page/index.html', files: PAGE_FILES, connect: this.#connectSources() });
    router.on('GET', '/ping', ({ response }) => sendJson(response, 200, { pong: true, instance: this.#instance.name }));
    router.on('GET', '/config.json', ({ response }) => sendJson(response, 200, this.#config()));
    router.on('GET', '/backend-status', async ({ response }) => sendJson(response, 200, await this.#status.read()));
    return router;
  }

  #config() {
    const { protocol, domain } = this.#address;
    return {
      instance: this.#instance.name,
      domain,
      backendHost: domain ? this.#address.host(this.#backend) : null,
      // For a page that was not loaded through the proxy; the others keep their own scheme and port.
      backendOrigin: domain ? this.#address.origin(this.#backend) : null,
      protocol,
    };
  }

  /** The page may call the backend's own host at any port: which one the daemon is reached at, only the browser knows. */
  #connectSources() {
    const { protocol, domain } = this.#address;
    if (!domain) return [];
    const host = this.#address.host(this.#backend);
    return protocol === 'https' ? [`https://${host}:*`, `wss://${host}:*`] : [`http://${host}:*`, `ws://${host}:*`];
  }
}
