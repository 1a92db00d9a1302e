import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawHeaders } from './client-exchange.ts';
import { fieldValue, listMembers } from './field-values.ts';

/** RFC 6455 4.1: a WebSocket handshake is a GET without content, and the only upgrade that is passed on. */
export function asksForWebSocket(method: string, rawHeaders: RawHeaders): boolean {
  if (method !== 'GET' || Number(fieldValue(rawHeaders, 'content-length') ?? '0') > 0) return false;
  if (fieldValue(rawHeaders, 'transfer-encoding') !== undefined) return false;
  const upgrade = fieldValue(rawHeaders, 'upgrade');
  const connection = fieldValue(rawHeaders, 'connection');
  if (upgrade === undefined || connection === undefined) return false;
  return upgrade.trim().toLowerCase() === 'websocket' && listMembers(connection).includes('upgrade');
}

/**
 * RFC 9110 7.8: a server may ignore an upgrade that it does not want, and serve the request as it is. node:http has
 * left the connection by then, so that the request is put back into the socket without its Upgrade field. Whoever
 * calls hands the socket to the server as a new connection: `server.emit('connection', socket)` with a plain server,
 * `'secureConnection'` with a TLS one. The request passes the parser and the rules again, content and all.
 */
export function putBackWithoutUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  let text = `${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}\r\n`;
  const { rawHeaders } = request;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const field = name.toLowerCase();
    if (field === 'upgrade' || field === 'http2-settings') continue;
    text += `${name}: ${field === 'connection' ? withoutUpgrade(value) : value}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
}

function withoutUpgrade(connection: string): string {
  return listMembers(connection)
    .filter((member) => member !== 'upgrade')
    .join(', ');
}
