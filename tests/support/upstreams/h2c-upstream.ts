import type { Http2Server, ServerHttp2Session, ServerHttp2Stream, Settings } from 'node:http2';
import { createServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';

/** Answers one stream; `headers` is the flat list, pseudo fields included. */
export type H2cScript = (stream: ServerHttp2Stream, headers: readonly string[], index: number) => void;

/** A real HTTP/2 server without TLS, that answers each stream as a test says. */
export class H2cUpstream {
  readonly sessions: ServerHttp2Session[] = [];
  readonly streams: ServerHttp2Stream[] = [];
  /** The head of each request, by its fields. */
  readonly heads: Record<string, string>[] = [];
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();

  constructor(script: H2cScript, settings: Settings = {}) {
    this.#server = createServer({ settings });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('session', (session: ServerHttp2Session) => {
      this.sessions.push(session);
      session.on('error', () => undefined);
    });
    this.#server.on('stream', (stream: ServerHttp2Stream, _fields: unknown, _flags: number, raw: string[]) => {
      stream.on('error', () => undefined);
      this.streams.push(stream);
      const head: Record<string, string> = {};
      for (let at = 0; at < raw.length; at += 2) head[raw[at]!] = raw[at + 1]!;
      this.heads.push(head);
      script(stream, raw, this.heads.length - 1);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get endpoint(): Endpoint {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** Connections that are open now. */
  get connections(): readonly Socket[] {
    return [...this.#sockets];
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
