import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { BytePeer, PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { Changes } from '../../support/wire/changes.ts';
import { Http1Reader, type Http1Message } from './http1-reader.ts';

export interface UpstreamRequest {
  readonly message: Http1Message;
  readonly peer: BytePeer;
  /** Counts the requests of all connections, from 0. */
  readonly index: number;
  readonly path: string;
}

/** Called with every request head; writes whatever bytes the case wants to `request.peer`. */
export type UpstreamScript = (request: UpstreamRequest) => void | Promise<void>;

/** An upstream that reads strictly and answers with exactly the bytes of a script. */
export class CaseUpstream {
  readonly peers: BytePeer[] = [];
  readonly requests: UpstreamRequest[] = [];
  /** What it was sent that a strict server does not understand. */
  readonly faults: string[] = [];
  readonly changes = new Changes();
  script: UpstreamScript;
  readonly #server: Server;

  constructor(script: UpstreamScript = answerOk) {
    this.script = script;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that the front has not left. */
  get open(): number {
    return this.peers.filter(({ gone }) => !gone).length;
  }

  until(holds: () => boolean, timeoutMs = PATIENCE_MS): Promise<boolean> {
    return this.changes.until(holds, timeoutMs);
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const peer = new BytePeer(socket);
    this.peers.push(peer);
    const notify = (): void => {
      peer.changes.notify();
      this.changes.notify();
    };
    const reader = new Http1Reader({
      kind: 'request',
      onChange: notify,
      onHead: (message) => this.#serve(message, peer),
    });
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk.toString('latin1'));
      if (reader.fault !== undefined && !this.faults.includes(reader.fault)) this.faults.push(reader.fault);
    });
    for (const event of ['end', 'error', 'close']) socket.on(event, notify);
    notify();
  }

  #serve(message: Http1Message, peer: BytePeer): void {
    const path = message.startLine.split(' ')[1] ?? '';
    const request = { message, peer, path, index: this.requests.length };
    this.requests.push(request);
    void this.script(request);
  }
}

/** 200 with `ok`. */
function answerOk({ peer }: UpstreamRequest): void {
  peer.send(okResponse('ok'));
}

export function okResponse(content: string, lines = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n${lines}\r\n${content}`;
}
