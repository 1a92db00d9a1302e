import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest, type Agent } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import { localhostLookup } from '../../../src/lib/localhost-lookup.ts';

export interface HttpsClientOptions {
  readonly port: number;
  /** The authority whose certificates are believed. */
  readonly ca: string;
  /** Where the certificate is not for the host that is asked. */
  readonly servername?: string;
}

export interface AskOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
  /** Absent: a connection of its own for each request. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- Tests say what they expect to be there.
  json<T = Record<string, unknown>>(): T;
}

/** A client of the daemon as strangers have it: the name goes into SNI and Host, and leads to this machine. */
export class HttpsClient {
  readonly #options: HttpsClientOptions;

  constructor(options: HttpsClientOptions) {
    this.#options = options;
  }

  async ask(host: string, options: AskOptions = {}): Promise<Answer> {
    const response = await this.open(host, options);
    const body = (await response.toArray()).join('');
    return answer(response.statusCode ?? 0, response.headers, body);
  }

  /** Resolves with the head; the body is the caller's. */
  open(host: string, options: AskOptions = {}): Promise<IncomingMessage> {
    const { path = '/', method = 'GET', headers = {}, body, signal, agent = false } = options;
    const { port, ca, servername } = this.#options;
    return new Promise((resolve, reject) => {
      const own = {
        lookup: localhostLookup,
        ...(servername !== undefined && { servername }),
        ...(signal && { signal }),
      };
      const request = httpsRequest({ host, port, ca, path, method, headers, agent, ...own }, resolve);
      request.on('error', reject);
      request.end(body);
    });
  }

  /** An HTTP/2 session; whoever opens it destroys it. */
  async http2(host: string, servername: string = host): Promise<ClientHttp2Session> {
    const { port, ca } = this.#options;
    const session = connectHttp2(`https://${host}:${port}`, {
      createConnection: () => connectTls({ host: '127.0.0.1', port, ca, servername, ALPNProtocols: ['h2'] }),
    });
    session.on('error', () => undefined);
    await once(session, 'connect');
    return session;
  }

  /** Open when it resolves; rejects with the refusal's status. */
  async webSocket(host: string, path: string): Promise<WebSocket> {
    const { port, ca } = this.#options;
    const socket = new WebSocket(`wss://${host}:${port}${path}`, { ca, lookup: localhostLookup });
    await once(socket, 'open');
    socket.on('error', () => undefined);
    return socket;
  }

  /** An upgrade that is expected to be refused: the refusal. */
  async refusedWebSocket(host: string, path: string): Promise<Answer> {
    const { port, ca } = this.#options;
    const socket = new WebSocket(`wss://${host}:${port}${path}`, { ca, lookup: localhostLookup });
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    const body = (await response.toArray()).join('');
    return answer(response.statusCode ?? 0, response.headers, body);
  }
}

/** A GET over HTTP/2. */
export async function get2(session: ClientHttp2Session, path = '/'): Promise<Pick<Answer, 'status' | 'body'>> {
  const stream = session.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  return { status: Number(headers[':status']), body: (await stream.toArray()).join('') };
}

function answer(status: number, headers: IncomingHttpHeaders, body: string): Answer {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- See `Answer.json`.
  return { status, headers, body, json: <T>() => JSON.parse(body) as T };
}
