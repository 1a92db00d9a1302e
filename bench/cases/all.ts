import type { Case } from './case.ts';
import { halfLoad } from './half-load.ts';
import { idleWebSockets } from './idle-web-sockets.ts';
import { body100k, body10m, http2, newConnections, smallGet, webSocketEcho } from './load-cases.ts';
import { manyHosts } from './many-hosts.ts';
import { million } from './million.ts';
import { wake } from './wake.ts';

/** In the order in which they are run. */
export const ALL_CASES: readonly Case[] = [
  smallGet,
  body100k,
  body10m,
  newConnections,
  http2,
  webSocketEcho,
  halfLoad,
  manyHosts,
  idleWebSockets,
  wake,
  million,
];
