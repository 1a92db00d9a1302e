import { once } from 'node:events';
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Changes } from './changes.ts';

/** How long a case waits for what must come, in milliseconds: long, because it is only waited for in full by a failure. */
export const PATIENCE_MS = 10_000;
/** By then nothing comes any more, in milliseconds. */
const HANGS_MS = 20_000;

/** One side of a connection as bytes, for what no HTTP client or server would send. */
export class BytePeer {
  readonly socket: Socket;
  /** All that came, as latin1 text. */
  received = '';
  /** Set once the other side has ended (`fin`) or cut (`reset`) the connection. */
  ending: 'fin' | 'reset' | undefined;
  closed = false;
  readonly changes = new Changes();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.changes.notify();
    });
    socket.on('end', () => this.#end('fin'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => {
      this.closed = true;
      this.#end('reset');
    });
  }

  static async tcp(port: number, options: Partial<TcpNetConnectOpts> = {}): Promise<BytePeer> {
    const peer = new BytePeer(connectTcp({ host: '127.0.0.1', port, noDelay: true, ...options }));
    await once(peer.socket, 'connect');
    return peer;
  }

  /** Agrees on HTTP/1.1, unless told otherwise. */
  static async tls(options: ConnectionOptions): Promise<BytePeer> {
    const peer = new BytePeer(connectTls({ host: '127.0.0.1', ALPNProtocols: ['http/1.1'], ...options }));
    await once(peer.socket, 'secureConnect');
    return peer;
  }

  get gone(): boolean {
    return this.ending !== undefined;
  }

  send(text: string | Buffer): void {
    if (typeof text === 'string') this.socket.write(text, 'latin1');
    else this.socket.write(text);
  }

  /** Waits until what came matches, and returns it. @throws when the other side has gone without, or nothing comes */
  async receive(wanted: string | RegExp): Promise<string> {
    if (await this.until(wanted, HANGS_MS)) return this.received;
    throw new Error(`Not there: ${String(wanted)} in ${JSON.stringify(this.received.slice(-2_000))}`);
  }

  /** All that came until the other side ended or cut the connection. @throws when it does not */
  async untilClosed(timeoutMs = HANGS_MS): Promise<string> {
    // Behind an error there may still be something to read.
    if (await this.changes.until(() => this.closed || this.ending === 'fin', timeoutMs)) return this.received;
    throw new Error(`Still open after ${timeoutMs} ms: ${JSON.stringify(this.received.slice(-2_000))}`);
  }

  /** @returns whether what came matches; false when the other side has gone without, or the time is up */
  until(wanted: string | RegExp, timeoutMs = PATIENCE_MS): Promise<boolean> {
    const found = (): boolean =>
      typeof wanted === 'string' ? this.received.includes(wanted) : wanted.test(this.received);
    return this.changes.until(() => found() || this.gone, timeoutMs).then(found);
  }

  /** @returns whether the other side has ended or cut the connection */
  untilGone(timeoutMs = PATIENCE_MS): Promise<boolean> {
    return this.changes.until(() => this.gone, timeoutMs);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #end(how: 'fin' | 'reset'): void {
    this.ending ??= how;
    this.changes.notify();
  }
}
