import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { BytePeer } from '../../support/wire/byte-peer.ts';
import { Http1Reader, valuesOf, type Http1Message } from '../../conformance/rig/http1-reader.ts';
import { HANG_MS } from '../patience.ts';
import { playEnd } from '../play-end.ts';
import type { TunnelPlan } from '../plan/tunnel-plan.ts';
import { split } from '../wire.ts';
import { turns } from '../turns.ts';
import type { CaseBook, CaseRecord } from './case-book.ts';

const END_OF_HEAD = '\r\n\r\n';

/** Takes handshakes, or refuses them, and plays the inner ends of tunnels. One request for each connection. */
export class TunnelUpstream {
  readonly #book: CaseBook;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => void this.#accept(socket));

  constructor(book: CaseBook) {
    this.#book = book;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are not closed on both sides. */
  get open(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const peer = new BytePeer(socket);
    if (!(await peer.until(END_OF_HEAD))) {
      socket.destroy();
      return;
    }
    const borders = peer.received.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
    const message = handshakeOf(peer.received.slice(0, borders));
    const record = this.#book.note(message.startLine.split(' ')[1] ?? '', message);
    if (record?.plan.kind === 'tunnel') await serve(peer, borders, message, { ...record, plan: record.plan });
    else socket.destroy();
  }
}

async function serve(
  peer: BytePeer,
  from: number,
  request: Http1Message,
  record: CaseRecord<TunnelPlan>,
): Promise<void> {
  const { plan, saw, over } = record;
  const answer = plan.refusal === undefined ? acceptance(plan, request) : refusal(plan, plan.refusal);
  for (const piece of split(answer, plan.pieces, plan.index)) {
    peer.send(piece);
    if (plan.pieces > 1) await turns(1);
  }
  if (plan.refusal === undefined) await playEnd(peer, from, plan.upstream, saw);
  else {
    peer.socket.end();
    await peer.changes.until(() => peer.closed, HANG_MS);
    saw.content = peer.received.slice(from);
    saw.gone = peer.closed;
  }
  over.resolve();
}

function handshakeOf(head: string): Http1Message {
  const reader = new Http1Reader({ kind: 'request' });
  reader.push(head);
  const [message] = reader.messages;
  const unreadable = { fields: [], framing: 'none', content: '', trailers: [], complete: false } as const;
  return message ?? { startLine: `unreadable: ${reader.fault ?? head}`, ...unreadable };
}

function acceptance({ hint, answerFields }: TunnelPlan, request: Http1Message): string {
  const key = valuesOf(request, 'sec-websocket-key').join();
  // RFC 6455 4.2.2.
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const own = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`;
  return `${hint ? HINT : ''}HTTP/1.1 101 Planned\r\n${own}${lines(answerFields)}\r\n`;
}

function refusal({ hint, answerFields }: TunnelPlan, { status, content, framing }: Refusal): string {
  const chunk = `${content.length.toString(16)}\r\n${content}\r\n`;
  const body = framing === 'chunked' ? `${content === '' ? '' : chunk}0\r\n\r\n` : content;
  const own = {
    length: `Content-Length: ${content.length}\r\n`,
    chunked: 'Transfer-Encoding: chunked\r\n',
    close: 'Connection: close\r\n',
  };
  return `${hint ? HINT : ''}HTTP/1.1 ${status} Planned\r\n${own[framing]}${lines(answerFields)}\r\n${body}`;
}

type Refusal = NonNullable<TunnelPlan['refusal']>;

const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n';

function lines(fields: TunnelPlan['fields']): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
