import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** The address at the other end; '' when it has gone. A dual-stack socket shows IPv4 clients as `::ffff:192.0.2.1`. */
export function peerAddress({ remoteAddress = '' }: Socket): string {
  return remoteAddress.startsWith('::ffff:') && remoteAddress.includes('.')
    ? remoteAddress.slice('::ffff:'.length)
    : remoteAddress;
}

/** The name that the client asked for in the TLS handshake. */
export function serverNameOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { servername } = socket as { servername?: unknown };
  return typeof servername === 'string' && servername !== '' ? servername : undefined;
}
