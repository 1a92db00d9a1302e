import type { OnReadOpts, Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { localhostLookup } from '../../lib/localhost-lookup.ts';
import type { Endpoint } from '../../seam/fleet-view.ts';

const KEEP_ALIVE_PROBE_MS = 30_000;

interface SocketOptions {
  /** The end of what the upstream sends is for the reader to judge. */
  readonly allowHalfOpen: boolean;
  readonly onread?: OnReadOpts;
}

/** A connection to an upstream; `connectedEvent` says when it may be used. */
export function openSocket({ host, port, tls }: Endpoint, options: SocketOptions): Socket {
  if (host.includes('/')) return connect({ path: host, ...options });
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS };
  const address = { host, port, lookup: localhostLookup, autoSelectFamily: false };
  if (!tls) return connect({ ...address, ...keepAlive, noDelay: true, ...options });
  // Whoever vouches for it is among the authorities of Node or in NODE_EXTRA_CA_CERTS. RFC 6066 section 3: an address is no name.
  const names = { servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'] };
  const all = { ...address, ...names, allowHalfOpen: options.allowHalfOpen };
  const socket = connectTls(all);
  return socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS).setNoDelay(true);
}

/** Over TLS nothing may be said before the certificate was found to be right. */
export function connectedEvent({ tls }: Endpoint): 'connect' | 'secureConnect' {
  return tls ? 'secureConnect' : 'connect';
}
