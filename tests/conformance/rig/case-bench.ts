import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { BytePeer, PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import type { CaseUpstream, UpstreamScript } from './case-upstream.ts';
import type { Certificate } from './certificate.ts';
import type { OpenFront } from './front.ts';
import { Http1Reader, type Http1Message } from './http1-reader.ts';
import { ask2, type Answer2, type Ask2Options } from './http2-ask.ts';

export interface Exchanged {
  readonly client: BytePeer;
  readonly reader: Http1Reader;
  /** The final responses. */
  readonly responses: readonly Http1Message[];
  /** Statuses, ends and faults in one line. */
  readonly seen: string;
}

/** What a case has at hand: clients of the front, and the upstream behind it. */
export class CaseBench {
  readonly upstream: CaseUpstream;
  readonly front: OpenFront;
  readonly #certificate: Certificate;
  readonly #clients: BytePeer[] = [];
  readonly #sessions: ClientHttp2Session[] = [];

  constructor(upstream: CaseUpstream, front: OpenFront, certificate: Certificate) {
    this.upstream = upstream;
    this.front = front;
    this.#certificate = certificate;
  }

  script(script: UpstreamScript): CaseUpstream {
    this.upstream.script = script;
    return this.upstream;
  }

  get tls(): ConnectionOptions {
    return { host: '127.0.0.1', port: this.front.port, ca: this.#certificate.ca, servername: 'app.test' };
  }

  /** A TLS connection that agreed on HTTP/1.1, unless told otherwise. */
  async client(options: ConnectionOptions = {}): Promise<BytePeer> {
    const socket = connectTls({ ...this.tls, ALPNProtocols: ['http/1.1'], ...options });
    const client = new BytePeer(socket);
    this.#clients.push(client);
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    return client;
  }

  /** A TCP connection without TLS. */
  async plain(): Promise<BytePeer> {
    const socket = connectTcp(this.front.port, '127.0.0.1');
    const client = new BytePeer(socket);
    this.#clients.push(client);
    await once(socket, 'connect');
    return client;
  }

  /** Sends bytes on a connection of their own, and waits for so many final responses or the end of the connection. */
  async exchange(bytes: string, { responses = 1, timeoutMs = PATIENCE_MS } = {}): Promise<Exchanged> {
    const client = await this.client();
    const reader = readerOf(client, bytes.startsWith('HEAD '));
    client.send(bytes);
    const done = (): boolean => reader.final.filter(({ complete }) => complete).length >= responses;
    await client.changes.until(() => done() || client.gone, timeoutMs);
    return { client, reader, responses: reader.final, seen: describe(reader, client) };
  }

  async http2(): Promise<ClientHttp2Session> {
    const session = connectHttp2('https://app.test', {
      createConnection: () => connectTls({ ...this.tls, ALPNProtocols: ['h2'] }),
    });
    session.on('error', () => undefined);
    this.#sessions.push(session);
    await Promise.race([once(session, 'connect'), once(session, 'close')]);
    return session;
  }

  /** One request over HTTP/2 on a session of its own, unless one is given. */
  async ask2(options: Ask2Options = {}, session?: ClientHttp2Session): Promise<Answer2> {
    return ask2(session ?? (await this.http2()), options);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const session of this.#sessions) session.destroy();
    await this.front.close();
    await this.upstream.close();
  }
}

export function readerOf(client: BytePeer, bodyless = false): Http1Reader {
  const reader = new Http1Reader({
    kind: 'response',
    bodyless: () => bodyless,
    onChange: () => client.changes.notify(),
  });
  reader.push(client.received);
  client.socket.on('data', (chunk: Buffer) => reader.push(chunk.toString('latin1')));
  client.socket.on('end', () => reader.end());
  return reader;
}

export function describe(reader: Http1Reader, client: BytePeer): string {
  const statuses = reader.messages.map(
    ({ startLine, complete }) => `${startLine.slice(9, 12)}${complete ? '' : ' (cut)'}`,
  );
  const fault = reader.fault === undefined ? [] : [`unreadable: ${reader.fault}`];
  const end = client.ending === undefined ? 'open' : 'closed';
  return [...(statuses.length === 0 ? ['no answer'] : statuses), ...fault, end].join(', ');
}
