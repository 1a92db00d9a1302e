import type { OnReadOpts, Socket } from 'node:net';
import { connect } from 'node:net';
import { localhostLookup } from '../../lib/localhost-lookup.ts';
import type { Endpoint } from '../../seam/fleet-view.ts';

const KEEP_ALIVE_PROBE_MS = 30_000;

interface SocketOptions {
  /** The end of what the upstream sends is for the reader to judge. */
  readonly allowHalfOpen: boolean;
  readonly onread?: OnReadOpts;
}

/** A connection to an upstream. */
export function openSocket({ host, port }: Endpoint, options: SocketOptions): Socket {
  if (host.includes('/')) return connect({ path: host, ...options });
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS };
  const address = { host, port, lookup: localhostLookup, autoSelectFamily: false };
  return connect({ ...address, ...keepAlive, noDelay: true, ...options });
}
