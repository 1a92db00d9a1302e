import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { freePort } from '../src/lib/free-port.ts';
import { makeAuthority, makeServerCertificate } from '../src/tls/certificate-maker.ts';
import { ServerProcess } from './server-process.ts';

/** The only name that every program resolves to this machine. */
export const HOST = 'localhost';

/** What all contestants share: a certificate, and the upstreams behind them. */
export interface Site {
  /** A folder of this run's own. */
  readonly dir: string;
  /** ECDSA P-256, for `localhost` and its subdomains. */
  readonly certPath: string;
  readonly keyPath: string;
  /** Certificate and key in one file. */
  readonly pemPath: string;
  /** nginx with `/` (29 bytes), `/100k` and `/10m`. */
  readonly upstreamPort: number;
  /** WebSocket echo at `/ws`. */
  readonly echoPort: number;
  /** A port that nobody has. */
  newPort(): Promise<number>;
  close(): Promise<void>;
}

const BODY = 'The quick brown fox is awake.';

export async function openSite(): Promise<Site> {
  const dir = await mkdtemp(join(tmpdir(), 'reveille-bench-'));
  const taken = new Set<number>();
  const newPort = async (): Promise<number> => {
    const port = await freePort(taken);
    taken.add(port);
    return port;
  };
  const files = await writeCertificate(dir);
  const upstream = await startUpstream(join(dir, 'upstream'), await newPort());
  const echo = await startEcho();
  const close = async (): Promise<void> => {
    for (const client of echo.clients) client.terminate();
    echo.close();
    await upstream.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return {
    ...{ dir, ...files, newPort, close, upstreamPort: upstream.port },
    echoPort: (echo.address() as AddressInfo).port,
  };
}

async function writeCertificate(dir: string): Promise<Pick<Site, 'certPath' | 'keyPath' | 'pemPath'>> {
  const authority = await makeAuthority(Date.now());
  const { cert, key } = await makeServerCertificate(authority, [HOST, `*.${HOST}`], Date.now());
  const paths = {
    certPath: join(dir, 'fullchain.pem'),
    keyPath: join(dir, 'key.pem'),
    pemPath: join(dir, 'both.pem'),
  };
  await writeFile(paths.certPath, cert);
  await writeFile(paths.keyPath, key);
  await writeFile(paths.pemPath, cert + key);
  return paths;
}

async function startUpstream(dir: string, port: number): Promise<ServerProcess> {
  await mkdir(join(dir, 'files'), { recursive: true });
  await writeFile(join(dir, 'files/100k'), Buffer.alloc(100 * 1024, 'x'));
  await writeFile(join(dir, 'files/10m'), Buffer.alloc(10 * 1024 * 1024, 'x'));
  const config = join(dir, 'nginx.conf');
  await writeFile(config, upstreamConfig(dir, port));
  return ServerProcess.start({ name: 'the upstream', command: ['nginx', '-p', dir, '-c', config], cwd: dir, port });
}

/** The directives that let nginx run from a folder of its own, in the foreground, as whoever runs the bench. */
export function nginxFrame(dir: string): string {
  return `${userInfo().uid === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/error.log crit;
events { worker_connections 8192; }`;
}

function upstreamConfig(dir: string, port: number): string {
  return `${nginxFrame(dir)}
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path ${dir}/body;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${dir}/files; default_type application/octet-stream;
    location = / { default_type text/plain; return 200 "${BODY}"; }
  }
}
`;
}

async function startEcho(): Promise<WebSocketServer> {
  const echo = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  echo.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => echo.once('listening', resolve));
  return echo;
}
