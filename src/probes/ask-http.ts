import { request, type IncomingMessage } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../seam/fleet-view.ts';
import { localhostLookup } from '../lib/localhost-lookup.ts';

export interface Question {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly host: string;
}

/** The status of a complete response head, or what went wrong. */
export type Answer = number | { readonly ok: false; readonly reason: string };

/** What an answer's body may still send after its head: enough for a page, so that the service sees a finished request. */
const MAX_BODY_BYTES = 65_536;
const MAX_BODY_IDLE_MS = 1_000;

/** Sends one GET on a connection of its own. Returns what takes it back; `tell` is called at least once unless it was taken back. */
export function askHttp({ endpoint, path, host }: Question, tell: (answer: Answer) => void): () => void {
  const outgoing = request({
    path,
    // Without an agent there is no pool that could hand out a used socket, and none to clean up.
    createConnection: () => open(endpoint),
    headers: { Host: host, 'User-Agent': 'Reveille-Probe', Accept: '*/*', Connection: 'close' },
  });
  outgoing.on('error', (error) => tell({ ok: false, reason: `GET ${path} failed: ${error.message}` }));
  outgoing.on('upgrade', (_response, socket) => {
    socket.on('error', () => undefined);
    tell({ ok: false, reason: `GET ${path} was answered with another protocol, which nobody asked for` });
    socket.destroy();
  });
  outgoing.on('response', (response) => {
    tell(response.statusCode ?? 0);
    discard(response);
  });
  outgoing.end();
  return () => outgoing.destroy();
}

/** TLS as the requests have it: what the probe takes for well, they can use. */
function open({ host, port, tls }: Endpoint): Socket {
  const address = { host, port, lookup: localhostLookup };
  if (!tls) return connect(address);
  return connectTls({ ...address, servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'] });
}

/** Reads a short body to its end and cuts off a long or a slow one. */
function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) response.destroy();
  });
  response.setTimeout(MAX_BODY_IDLE_MS, () => response.destroy());
}
