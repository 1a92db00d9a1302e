import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and the Unix socket of a server, so that a test can take it away and bring it back. */
export class UnixRelay {
  readonly path: string;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
  }

  async start(): Promise<void> {
    this.#server = createServer((client) => this.#accept(client));
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
  }

  /** Breaks every connection; new ones are taken as before. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks every connection and removes the socket, as a daemon that ends does. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && new Promise((resolve) => server.close(resolve));
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    const upstream = connect(this.#target);
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.pipe(upstream);
    upstream.pipe(client);
  }
}
