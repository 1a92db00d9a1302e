import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { FrontDoor } from '../set-ups/front-door.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** A GET over HTTP/1.1 on a connection of its own. */
export function get(door: FrontDoor, options: RequestOptions = {}): Promise<Answer> {
  const all = { ...door.client, headers: { host: 'app.test' }, agent: false, ...options };
  return new Promise((resolve, reject) => {
    const request = httpsRequest(all, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
}

/** A TLS connection; whoever opens it destroys it. */
export async function openTls(door: FrontDoor, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ ...door.client, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** An HTTP/2 session; whoever opens it destroys it. */
export async function openHttp2(door: FrontDoor): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://app.test:${door.port}`, {
    createConnection: () => connectTls({ ...door.client, ALPNProtocols: ['h2'] }),
  });
  session.on('error', () => undefined);
  await once(session, 'connect');
  return session;
}

/** A GET over HTTP/2. */
export function get2(session: ClientHttp2Session, path = '/'): Promise<Pick<Answer, 'status' | 'body'>> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':authority': 'app.test' });
    let status = 0;
    let body = '';
    stream.on('response', (fields) => (status = Number(fields[':status'])));
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    stream.on('end', () => resolve({ status, body }));
    stream.on('error', reject);
    stream.end();
  });
}
