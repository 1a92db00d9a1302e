import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { WebSocketConnection } from './connection.js';

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:stream').Duplex} Duplex */

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Answers the opening handshake (RFC 6455, section 4.2).
 *
 * @param {IncomingMessage} request
 * @param {Duplex} socket
 * @param {Record<string, string>} [headers]   for the 101 answer
 * @returns {WebSocketConnection | undefined}  undefined when it was refused, and answered
 */
export function acceptWebSocket(request, socket, headers = {}) {
  const key = request.headers['sec-websocket-key'] ?? '';
  if ((request.headers.upgrade ?? '').toLowerCase() !== 'websocket') {
    refuseUpgrade(socket, 426, 'Only the upgrade to websocket is known here.', { upgrade: 'websocket' });
  } else if (request.headers['sec-websocket-version'] !== '13') {
    refuseUpgrade(socket, 426, 'Only version 13 is known here.', {
      upgrade: 'websocket',
      'sec-websocket-version': '13',
    });
  } else if (request.method !== 'GET' || !/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    refuseUpgrade(socket, 400, 'This is not a WebSocket handshake.');
  } else {
    const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    const fields = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': accept, ...headers };
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${formatFields(fields)}\r\n`);
    return new WebSocketConnection(socket);
  }
  return undefined;
}

/**
 * A refused upgrade is a normal answer.
 *
 * @param {Duplex} socket
 * @param {number} status
 * @param {string} detail
 * @param {Record<string, string>} [headers]
 */
export function refuseUpgrade(socket, status, detail, headers = {}) {
  const title = STATUS_CODES[status] ?? 'Error';
  const body = `${JSON.stringify({ type: 'about:blank', title, status, detail, code: 'upgrade_refused' })}\n`;
  const fields = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: headers.upgrade ? 'Upgrade, close' : 'close',
    ...headers,
  };
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${formatFields(fields)}\r\n${body}`);
}

/** @param {Record<string, string>} fields */
function formatFields(fields) {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
