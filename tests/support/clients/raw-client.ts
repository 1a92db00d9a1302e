import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { once } from 'node:events';

/** A connection that is written to and read byte by byte, for requests that no HTTP client would make. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.#received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.#closed = true));
  }

  static async tls(options: ConnectionOptions): Promise<RawClient> {
    const socket = connectTls({ host: '127.0.0.1', ALPNProtocols: ['http/1.1'], ...options });
    const client = new RawClient(socket);
    await once(socket, 'secureConnect');
    return client;
  }

  static async tcp(port: number): Promise<RawClient> {
    const socket = connectTcp(port, '127.0.0.1');
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  get received(): string {
    return this.#received;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** All that came until the other side closed. */
  async untilClosed(): Promise<string> {
    if (!this.#closed) await once(this.socket, 'close');
    return this.#received;
  }

  /** Waits until what came contains `text`, or the connection is closed. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text) && !this.#closed) {
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
    return this.#received;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
