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
/** Of the requests that warm up for small answers: what is as large is moved by code that has run often soon. */
const SHARE_FOR_100_KB = 0.25;
const SHARE_FOR_10_MB = 0.01;
const SHARE_FOR_HANDSHAKES = 0.1;
/** HTTP/2 requests that the slowest contestant serves in a second, before its own pace is known. */
const FIRST_PER_SECOND = 1_000;

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
    interleaved(
      arena,
      able(arena, 'proxy'),
      (entrant, seconds) => wrk({ url: entrant.url('/100k'), connections: CONNECTIONS, seconds }),
      SHARE_FOR_100_KB,
    ),
};

export const body10m: Case = {
  name: 'body-10m',
  title: `GET of 10 MB over TLS 1.3, HTTP/1.1, ${CONNECTIONS_FOR_LARGE} kept-alive connections`,
  run: (arena) =>
    interleaved(
      arena,
      able(arena, 'proxy'),
      (entrant, seconds) => wrk({ url: entrant.url('/10m'), connections: CONNECTIONS_FOR_LARGE, seconds }),
      SHARE_FOR_10_MB,
    ),
};

export const newConnections: Case = {
  name: 'handshakes',
  title: 'a new connection for each small GET: full TLS 1.3 handshake with ECDSA P-256',
  run: (arena) =>
    interleaved(
      arena,
      arena.contestants,
      (entrant, seconds) => handshakes(entrant.port, 16, seconds),
      SHARE_FOR_HANDSHAKES,
    ),
};

export const http2: Case = {
  name: 'http2',
  title: 'GET of 29 bytes over HTTP/2, 8 connections with 100 streams each',
  run: (arena) => {
    const perSecond = new Map<string, number>();
    return interleaved(arena, able(arena, 'http2'), async (entrant, seconds) => {
      const requests = Math.ceil(seconds * (perSecond.get(entrant.name) ?? FIRST_PER_SECOND));
      const result = await h2load({ url: entrant.url('/'), connections: 8, streams: 100, requests });
      perSecond.set(entrant.name, result.count / result.seconds);
      return result;
    });
  },
};

export const webSocketEcho: Case = {
  name: 'websocket-echo',
  title: `WebSocket messages of 64 bytes there and back, ${CONNECTIONS} connections`,
  run: (arena) =>
    interleaved(arena, able(arena, 'websocket'), (entrant, seconds) =>
      echoMessages(entrant.port, CONNECTIONS, seconds),
    ),
};
