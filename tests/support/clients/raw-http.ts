import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { vi } from 'vitest';

/** One side of a TCP connection as bytes: what was received is kept as latin1 text. */
export class RawPeer {
  readonly socket: Socket;
  received = '';
  /** Set once the other side has ended (`fin`) or cut (`reset`) the connection. */
  ending: 'fin' | 'reset' | undefined;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    socket.on('end', () => (this.ending ??= 'fin'));
    socket.on('error', () => (this.ending ??= 'reset'));
    socket.on('close', () => (this.closed = true));
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until the received text matches, and returns it. */
  async until(pattern: RegExp | string, timeout = 5_000): Promise<string> {
    await vi.waitFor(
      () => {
        const found = typeof pattern === 'string' ? this.received.includes(pattern) : pattern.test(this.received);
        if (!found) throw new Error(`Not yet: ${String(pattern)} in ${JSON.stringify(this.received.slice(-2_000))}`);
      },
      { timeout, interval: 2 },
    );
    return this.received;
  }

  async untilClosed(timeout = 5_000): Promise<string> {
    await vi.waitUntil(() => this.closed || this.ending !== undefined, { timeout, interval: 2 });
    return this.received;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export async function connectRaw(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<RawPeer> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, ...options });
  const peer = new RawPeer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return peer;
}

/** Sends one request and returns all that comes until the server closes or, with `until`, until that has come. */
export async function rawExchange(port: number, request: string, until?: RegExp | string): Promise<string> {
  const client = await connectRaw(port);
  client.send(request);
  try {
    return until === undefined ? await client.untilClosed() : await client.until(until);
  } finally {
    client.destroy();
  }
}

export function bodyOf(message: string): string {
  return message.slice(message.indexOf('\r\n\r\n') + 4);
}

export function headOf(message: string): string {
  return message.slice(0, message.indexOf('\r\n\r\n') + 2);
}

/** The values of a field in a head, in their order. */
export function valuesIn(head: string, name: string): string[] {
  return head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}
