import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { it } from 'vitest';
import { defaultForwardLimits } from '../../src/proxy/forward/forward-limits.ts';
import { ForwardingFront } from '../support/set-ups/forwarding-front.ts';
import { ask } from '../support/set-ups/h2c-forwarding.ts';
import { until } from '../support/until.ts';

const HEADERS = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, streamId: number, payload: readonly number[] = []): Buffer {
  return Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, streamId, ...payload]);
}

/** How a request on stream 1 without content begins, behind the length: with END_STREAM, and perhaps with a priority. */
const REQUESTS = [5, 37].map((flags) => Buffer.from([HEADERS, flags, 0, 0, 0, 1]));

/** `:status: 200`, then GOAWAY without an error, then content of no stream: an error of the connection (RFC 9113 6.1). */
const ANSWER = Buffer.concat([
  frame(HEADERS, END_HEADERS, 1, [0x88]),
  frame(7, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]),
  frame(0, 0, 0, [97]),
]);

it('a connection to an upstream that has broken HTTP/2 is closed when nobody waits for an answer on it', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.write(frame(4, 0, 0));
    let received = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (REQUESTS.some((head) => received.includes(head))) socket.write(ANSWER);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const limits = { tickMs: 10, http2: { ...defaultForwardLimits.http2, pingTimeoutMs: 50 } };
  const front = await new ForwardingFront(endpoint, { protocol: 'h2c', limits }).start();
  const seen = ask(front);
  await until(() => seen.head !== undefined);
  seen.stream.destroy();
  await until(() => sockets[0]!.destroyed);
  await until(() => front.forwarder.connections.open === 0);
  await front.close();
  server.close();
});
