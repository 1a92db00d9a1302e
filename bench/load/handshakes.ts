import { once } from 'node:events';
import { connect } from 'node:tls';
import { HOST } from '../site.ts';
import type { LoadResult } from './load-result.ts';

const REQUEST = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;

/** One connection after the other on each of `clients` lanes: a full handshake, one small GET, the close. */
export async function handshakes(port: number, clients: number, seconds: number): Promise<LoadResult> {
  const start = performance.now();
  const deadline = start + seconds * 1_000;
  let count = 0;
  let failed = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < deadline) {
      if (await getOnce(port)) count += 1;
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, lane));
  return { count, failed, seconds: (performance.now() - start) / 1_000 };
}

async function getOnce(port: number): Promise<boolean> {
  // The certificate is our own of a minute ago; whether a client trusts it costs the server nothing.
  const options = { host: '127.0.0.1', port, servername: HOST, rejectUnauthorized: false };
  const socket = connect({ ...options, ALPNProtocols: ['http/1.1'] });
  let answer = '';
  socket.on('error', () => socket.destroy());
  socket.once('secureConnect', () => socket.write(REQUEST));
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  await once(socket, 'close');
  return answer.startsWith('HTTP/1.1 200');
}
