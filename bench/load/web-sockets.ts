import { once } from 'node:events';
import { WebSocket } from 'ws';
import { HOST } from '../site.ts';
import type { LoadResult } from './load-result.ts';

const MESSAGE = Buffer.alloc(64, 'e');
/** More at once would be a burst of handshakes that a busy machine answers with time-outs. */
const OPENED_AT_ONCE = 50;

/** WebSockets that are open, each having had one message echoed. */
export async function openWebSockets(port: number, count: number): Promise<WebSocket[]> {
  const open: WebSocket[] = [];
  while (open.length < count) {
    const batch = Math.min(OPENED_AT_ONCE, count - open.length);
    open.push(...(await Promise.all(Array.from({ length: batch }, () => openOne(port)))));
  }
  return open;
}

export async function closeWebSockets(sockets: readonly WebSocket[]): Promise<void> {
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.close();
  await Promise.all(closed);
}

/** Every connection sends its next message when the last one has come back. */
export async function echoMessages(port: number, connections: number, seconds: number): Promise<LoadResult> {
  const sockets = await openWebSockets(port, connections);
  const start = performance.now();
  const deadline = start + seconds * 1_000;
  let count = 0;
  for (const socket of sockets) {
    socket.on('message', () => {
      count += 1;
      if (performance.now() < deadline) socket.send(MESSAGE);
      else socket.close();
    });
    socket.send(MESSAGE);
  }
  await Promise.all(sockets.map((socket) => once(socket, 'close')));
  return { count, failed: 0, seconds: (performance.now() - start) / 1_000 };
}

async function openOne(port: number): Promise<WebSocket> {
  const options = { rejectUnauthorized: false, perMessageDeflate: false, handshakeTimeout: 30_000 };
  const socket = new WebSocket(`wss://${HOST}:${port}/ws`, options);
  await once(socket, 'open');
  socket.on('error', () => socket.terminate());
  socket.send(MESSAGE);
  await once(socket, 'message');
  return socket;
}
