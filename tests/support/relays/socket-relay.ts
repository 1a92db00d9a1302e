import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latePipe } from './late-pipe.ts';

/** A Unix socket that leads to another one, and that can be cut and opened again like the socket of a restarted daemon. */
export class SocketRelay {
  readonly #target: string;
  readonly #path: string | undefined;
  readonly #sockets = new Set<Socket>();
  /** How late the target hears what is said, in milliseconds. */
  delayMs = 0;
  /** The first lines of what was asked. */
  readonly asked: string[] = [];
  #folder = '';
  #server: Server | undefined;

  /** @param path where it stands; in a folder of its own unless given */
  constructor(target: string, path?: string) {
    this.#target = target;
    this.#path = path;
  }

  get path(): string {
    return this.#path ?? join(this.#folder, 'docker.sock');
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  async open(): Promise<void> {
    if (this.#path === undefined && this.#folder === '') this.#folder = await mkdtemp(join(tmpdir(), 'rv-relay-'));
    // Docker upgrades no connection of ours, but it keeps halves open: so does this.
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#relay(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  /** Ends what runs and takes the socket away. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    this.drop();
    await closed;
  }

  /** Ends what runs; new connections are taken. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    await this.cut();
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true });
  }

  #relay(socket: Socket): void {
    const upstream = connect({ path: this.#target, allowHalfOpen: true });
    for (const one of [socket, upstream]) {
      this.#sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.on('data', (chunk: Buffer) => {
      const [line] = /^[A-Z]+ \/\S+/.exec(chunk.toString('latin1')) ?? [];
      if (line !== undefined) this.asked.push(line);
    });
    socket
      .pipe(latePipe(() => this.delayMs))
      .pipe(upstream)
      .pipe(socket);
  }
}
