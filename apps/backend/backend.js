import { EventStreams } from '../shared/event-stream.js';
import { HttpServer } from '../shared/http-server.js';
import { identifyInstance } from '../shared/instance.js';
import { OriginPolicy } from '../shared/origin-policy.js';
import { PublicAddress } from '../shared/public-address.js';
import { sendJson } from '../shared/respond.js';
import { Router } from '../shared/router.js';
import { CpuMeter } from './cpu-meter.js';
import { addNoteRoutes, Notes } from './notes.js';
import { SocketHub } from './socket-hub.js';
import { addStressRoutes } from './stress-routes.js';
import { StressRunner } from './stress-runner.js';

/** @typedef {import('../shared/router.js').Exchange} Exchange */

const TICK_MS = 1_000;

/** The example backend: REST, WebSocket, event stream, and load on request. */
export class Backend {
  #instance;
  #origins;
  #server;
  #sockets;
  #events = new EventStreams();
  #cpu = new CpuMeter();
  #stress = new StressRunner();
  /** @type {NodeJS.Timeout | undefined} */
  #ticker;

  /** @param {NodeJS.ProcessEnv} env */
  constructor(env) {
    this.#instance = identifyInstance(env, 'backend');
    this.#origins = new OriginPolicy(new PublicAddress(env).domain);
    this.#sockets = new SocketHub(this.#instance, this.#origins);
    this.#server = new HttpServer({
      router: this.#routes(),
      instance: this.#instance,
      origins: this.#origins,
      onUpgrade: (request, socket, head) => this.#sockets.accept(request, socket, head),
    });
  }

  /**
   * @param {number} port
   * @param {string} host
   */
  async start(port, host) {
    this.#cpu.start();
    this.#stress.onChange((status) => this.#events.send('stress', status));
    this.#ticker = setInterval(() => this.#events.send('tick', this.#describe()), TICK_MS).unref();
    return this.#server.start(port, host);
  }

  async close() {
    clearInterval(this.#ticker);
    this.#cpu.close();
    this.#events.close();
    this.#sockets.close();
    await Promise.all([this.#stress.close(), this.#server.close()]);
  }

  #routes() {
    const router = new Router();
    router.on('GET', '/ping', ({ response }) => sendJson(response, 200, { pong: true, instance: this.#instance.name }));
    router.on('GET', '/', ({ response }) => sendJson(response, 200, { ...this.#describe(), try: EXAMPLES }));
    router.on('GET', '/api/hello', ({ response, url }) => this.#hello(response, url));
    router.on('GET', '/api/instance', ({ response }) => sendJson(response, 200, this.#describe()));
    router.on('GET', '/api/events', (exchange) =>
      this.#events.open(exchange, { type: 'hello', data: this.#describe() }),
    );
    addNoteRoutes(router, new Notes());
    addStressRoutes(router, this.#stress, { cpu: this.#cpu, instance: this.#instance, origins: this.#origins });
    return router;
  }

  /**
   * @param {Exchange['response']} response
   * @param {URL} url
   */
  #hello(response, url) {
    const name = (url.searchParams.get('name') ?? '').trim().slice(0, 80) || 'world';
    const { name: instance } = this.#instance;
    sendJson(response, 200, { message: `Hello, ${name}!`, instance, at: new Date().toISOString() });
  }

  #describe() {
    const { name, service, startedAt } = this.#instance;
    return {
      instance: name,
      service,
      startedAt: startedAt.toISOString(),
      uptimeMs: Math.round(process.uptime() * 1000),
      requests: this.#server.served,
      sockets: this.#sockets.size,
      streams: this.#events.size,
      cpuPercent: this.#cpu.percent,
      memoryBytes: process.memoryUsage.rss(),
      node: process.version,
      stress: this.#stress.status(),
    };
  }
}

const EXAMPLES = [
  '/api/hello?name=you',
  '/api/instance',
  '/api/notes',
  '/api/events',
  '/ws',
  '/api/stress?intensity=80&duration=30000',
  '/api/stress/incremental?steps=10&maxIntensity=100&stepDuration=10000',
  '/api/stress/status',
  '/api/stress/stop',
];
