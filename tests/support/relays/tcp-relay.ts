import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { latePipe } from './late-pipe.ts';

/** Stands between a client and a server, so that a test can cut and restore what lies between them. */
export class TcpRelay {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** How late each side hears what the other says, in milliseconds. */
  delayMs = 0;
  /** While true, who connects is hung up on. */
  severed = false;
  /** How many connections were begun. */
  connections = 0;

  constructor(targetPort: number) {
    this.#target = targetPort;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Carries nothing more, and keeps every connection: what is beyond has gone without a farewell. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Ends every connection without a word, as a pulled cable would. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    this.connections += 1;
    this.#hold(client);
    if (this.severed) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.#target, '127.0.0.1');
    this.#hold(upstream);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.pipe(latePipe(() => this.delayMs)).pipe(upstream);
    upstream.pipe(latePipe(() => this.delayMs)).pipe(client);
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
