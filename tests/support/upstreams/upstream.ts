import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';
import { BytePeer } from '../wire/byte-peer.ts';

/** Answers one request head; `index` counts the heads of all connections from 0. */
export type UpstreamScript = (peer: BytePeer, head: string, index: number) => void;

/** An upstream that writes exactly the bytes that a test says, for every request head that it sees. */
export class RawUpstream {
  readonly peers: BytePeer[] = [];
  readonly heads: string[] = [];
  readonly #server: Server;
  readonly #script: UpstreamScript;

  constructor(script: UpstreamScript) {
    this.#script = script;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const peer = new BytePeer(socket);
      this.peers.push(peer);
      let seen = 0;
      socket.on('data', () => {
        for (let end = this.#headEnd(peer, seen); end !== -1; end = this.#headEnd(peer, seen)) {
          const head = peer.received.slice(seen, end + 4);
          seen = end + 4;
          if (!/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(head)) continue;
          this.heads.push(head);
          this.#script(peer, head, this.heads.length - 1);
        }
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get endpoint(): Endpoint {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** Connections that the other side has not left. */
  get open(): number {
    return this.peers.filter((peer) => !peer.closed && peer.ending === undefined).length;
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #headEnd(peer: BytePeer, from: number): number {
    return peer.received.indexOf('\r\n\r\n', from);
  }
}

export function textResponse(body: string, extraLines = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${extraLines}\r\n${body}`;
}
