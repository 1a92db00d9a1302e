import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import type { FrontAddress } from '../front-address.ts';
import { BytePeer } from '../../support/wire/byte-peer.ts';
import { Http1Reader, statusOf, type Http1Message } from '../../conformance/rig/http1-reader.ts';
import { hosts } from '../hosts.ts';
import { HANG_MS } from '../patience.ts';
import { playEnd } from '../play-end.ts';
import type { TunnelPlan } from '../plan/tunnel-plan.ts';
import type { PeerSaw } from '../upstreams/case-book.ts';
import { turns } from '../turns.ts';
import { split } from '../wire.ts';
import { noteMessages, nothingSeen, type ClientSaw } from './client-saw.ts';

/** What a client saw of a tunnel: the answer to its handshake, and then the other end. */
export interface TunnelSaw {
  readonly answer: ClientSaw;
  readonly other: PeerSaw;
}

const NONCE = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Asks for a WebSocket on a connection of its own, and plays the outer end of it. */
export async function openTunnel(tls: FrontAddress, plan: TunnelPlan): Promise<TunnelSaw> {
  const tcp = connectTcp({ host: tls.host, port: tls.port, allowHalfOpen: true, noDelay: true });
  const socket = connect({ ...tls, socket: tcp, ALPNProtocols: ['http/1.1'] });
  socket.allowHalfOpen = true;
  const peer = new BytePeer(socket);
  await once(socket, 'secureConnect');
  const answer = nothingSeen();
  const other: PeerSaw = { content: '', finished: false, gone: false };
  const [first, ...later] = plan.client.writes;
  const hasty = plan.hasty ? (first?.content ?? '') : '';
  for (const piece of split(handshake(plan) + hasty, plan.pieces, plan.index)) {
    peer.send(piece);
    if (plan.pieces > 1) await turns(1);
  }
  answer.hangs = !(await peer.changes.until(() => peer.gone || switchedAt(peer.received) !== undefined, HANG_MS));
  const border = switchedAt(peer.received);
  if (border === undefined) noteRefusal(answer, peer);
  else {
    noteSwitch(answer, peer.received.slice(0, border));
    await playEnd(peer, border, plan.hasty ? { ...plan.client, writes: later } : plan.client, other, tcp);
  }
  socket.destroy();
  return { answer, other };
}

function handshake({ index, fields }: TunnelPlan): string {
  const own =
    `Host: ${hosts.tunnel}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Key: ${NONCE}\r\nSec-WebSocket-Version: 13\r\n`;
  return `GET /case-${index} HTTP/1.1\r\n${own}${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A refusal is an answer like any other, and the end of the connection. */
function noteRefusal(answer: ClientSaw, peer: BytePeer): void {
  const { messages, fault } = readAll(peer.received, peer.ending === 'fin');
  noteMessages(answer, messages, fault);
}

function noteSwitch(answer: ClientSaw, head: string): void {
  const { messages, fault } = readAll(head);
  answer.fault = fault;
  answer.status = 101;
  answer.fields = messages.at(-1)?.fields ?? [];
  for (const message of messages.slice(0, -1)) answer.interim.push(statusOf(message));
}

function readAll(text: string, ended = false): { messages: readonly Http1Message[]; fault: string | undefined } {
  const reader = new Http1Reader({ kind: 'response' });
  reader.push(text);
  if (ended) reader.end();
  return reader;
}

/** Where the new protocol begins; undefined as long as no 101 has come. */
function switchedAt(received: string): number | undefined {
  let at = 0;
  for (;;) {
    const end = received.indexOf('\r\n\r\n', at);
    if (end === -1 || !received.startsWith('HTTP/1.1 1', at)) return undefined;
    if (received.startsWith('HTTP/1.1 101', at)) return end + 4;
    at = end + 4;
  }
}
