import type { Socket } from 'node:net';
import type { BytePeer } from '../support/wire/byte-peer.ts';
import { drained } from './drained.ts';
import { HANG_MS } from './patience.ts';
import type { TunnelEnd } from './plan/tunnel-plan.ts';
import { turns } from './turns.ts';
import type { PeerSaw } from './upstreams/case-book.ts';

/**
 * Plays one end of a tunnel, and notes what it has had from the other once both are done.
 * @param from where in what the peer has received the tunnel begins
 * @param tcp the connection below TLS, if there is one
 */
export async function playEnd(
  peer: BytePeer,
  from: number,
  end: TunnelEnd,
  saw: PeerSaw,
  tcp: Socket = peer.socket,
): Promise<void> {
  const { socket } = peer;
  for (const { content, turns: count } of end.writes) {
    await turns(count);
    if (socket.destroyed) break;
    if (!socket.write(content, 'latin1')) await drained(socket);
  }
  if (end.then === 'resets') tcp.resetAndDestroy();
  else {
    if (end.then === 'finishes') await finish(socket, tcp);
    await peer.untilGone(HANG_MS);
    if (!tcp.writableEnded) await finish(socket, tcp);
    if (socket !== tcp) socket.destroy();
  }
  await peer.changes.until(() => peer.closed, HANG_MS);
  saw.content = peer.received.slice(from);
  saw.finished = peer.ending === 'fin';
  saw.gone = peer.closed;
}

/**
 * Not `end` of a socket of TLS: Node's then throws away what is on its way to it, because it calls SSL_shutdown twice.
 * The other side cannot tell a close_notify from none either.
 */
async function finish(socket: Socket, tcp: Socket): Promise<void> {
  if (!socket.destroyed && socket !== tcp) await new Promise((resolve) => socket.write('', resolve));
  tcp.end();
}
