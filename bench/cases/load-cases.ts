import { able } from '../arena.ts';
import { h2load } from '../load/h2load.ts';
import { handshakes } from '../load/handshakes.ts';
import { echoMessages } from '../load/web-sockets.ts';
import { wrk } from '../load/wrk.ts';
import type { Case } from './case.ts';
import { interleaved } from './rounds.ts';

const CONNECTIONS = 64;
/** Large bodies fill the buffers of every connection; more of them would measure the memory. */
const CONNECTIONS_FOR_LARGE = 8;

export const smallGet: Case = {
  name: 'small-get',
  title: `GET of 29 bytes over TLS 1.3, HTTP/1.1, ${CONNECTIONS} kept-alive connections`,
  run: (arena) =>
    interleaved(arena, arena.contestants, (entrant, seconds) =>
      wrk({ url: entrant.url('/'), connections: CONNECTIONS, seconds }),
    ),
};

export const body100k: Case = {
  name: 'body-100k',
  title: `GET of 100 KB over TLS 1.3, HTTP/1.1, ${CONNECTIONS} kept-alive connections`,
  run: (arena) =>
    interleaved(arena, able(arena, 'proxy'), (entrant, seconds) =>
      wrk({ url: entrant.url('/100k'), connections: CONNECTIONS, seconds }),
    ),
};

export const body10m: Case = {
  name: 'body-10m',
  title: `GET of 10 MB over TLS 1.3, HTTP/1.1, ${CONNECTIONS_FOR_LARGE} kept-alive connections`,
  run: (arena) =>
    interleaved(arena, able(arena, 'proxy'), (entrant, seconds) =>
      wrk({ url: entrant.url('/10m'), connections: CONNECTIONS_FOR_LARGE, seconds }),
    ),
};

export const newConnections: Case = {
  name: 'handshakes',
  title: 'a new connection for each small GET: full TLS 1.3 handshake with ECDSA P-256',
  run: (arena) => interleaved(arena, arena.contestants, (entrant, seconds) => handshakes(entrant.port, 16, seconds)),
};

export const http2: Case = {
  name: 'http2',
  title: 'GET of 29 bytes over HTTP/2, 8 connections with 100 streams each',
  run: (arena) =>
    interleaved(arena, able(arena, 'http2'), (entrant, seconds) =>
      h2load({ url: entrant.url('/'), connections: 8, streams: 100, seconds }),
    ),
};

export const webSocketEcho: Case = {
  name: 'websocket-echo',
  title: `WebSocket messages of 64 bytes there and back, ${CONNECTIONS} connections`,
  run: (arena) =>
    interleaved(arena, able(arena, 'websocket'), (entrant, seconds) =>
      echoMessages(entrant.port, CONNECTIONS, seconds),
    ),
};
