import type { Socket } from 'node:net';
import { Changes } from './changes.ts';

/** How long a case waits for what must come, in milliseconds: long, because it is only waited for in full by a failure. */
export const PATIENCE_MS = 5_000;

/** One side of a connection as bytes. Nothing here throws: what did not come is seen by who asks for it. */
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

  get gone(): boolean {
    return this.ending !== undefined;
  }

  send(text: string | Buffer): void {
    if (typeof text === 'string') this.socket.write(text, 'latin1');
    else this.socket.write(text);
  }

  until(wanted: string | RegExp, timeoutMs = PATIENCE_MS): Promise<boolean> {
    const found = (): boolean =>
      typeof wanted === 'string' ? this.received.includes(wanted) : wanted.test(this.received);
    return this.changes.until(() => found() || this.gone, timeoutMs).then(found);
  }

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
