import type { FastifyInstance } from 'fastify';
import { principalOf } from './auth.ts';
import { listenOnSocket } from '../lib/listen-on-socket.ts';
import { EventHistory } from './event-history.ts';
import { createHttpApp } from './http-app.ts';
import type { ManagementOptions } from './management-tools.ts';
import { OpenStreams } from './open-streams.ts';
import { Sessions } from './sessions.ts';

/** How long answers that are under way may take when the daemon ends; wakes are cancelled by then anyway. */
const CLOSE_MS = 3_000;

/** The API and the status page, on a Unix socket: the proxy forwards its admin host here, the CLI comes directly. */
export class ManagementServer {
  readonly #options: ManagementOptions;
  readonly #history: EventHistory;
  readonly #sessions: Sessions;
  readonly #streams: OpenStreams;
  #app: FastifyInstance | undefined;

  constructor(options: ManagementOptions) {
    const { bus, clock, token } = options;
    this.#options = options;
    this.#history = new EventHistory(bus);
    const sessions = new Sessions(clock, token);
    this.#sessions = sessions;
    this.#streams = new OpenStreams(clock, (request) => principalOf(request, { token, sessions }) !== undefined);
  }

  /** @throws CodedError when the socket cannot be had; see listenOnSocket */
  async start(): Promise<void> {
    const { clock, socketPath, log } = this.#options;
    this.#history.start();
    const parts = { history: this.#history, sessions: this.#sessions, streams: this.#streams };
    const app = await createHttpApp({ ...this.#options, ...parts, startedMs: clock.now() });
    await listenOnSocket(app.server, socketPath);
    app.server.on('error', (error) => log.error({ err: error }, 'the control socket failed'));
    this.#app = app;
  }

  async close(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    this.#history.close();
    this.#streams.endAll();
    if (!app) return;
    const cut = this.#options.clock.after(CLOSE_MS, () => app.server.closeAllConnections());
    // What stays open is idle: event streams have been told to end.
    const closed = new Promise<void>((resolve) => app.server.close(() => resolve()));
    app.server.closeIdleConnections();
    await closed;
    cut.cancel();
    await app.close();
  }
}
