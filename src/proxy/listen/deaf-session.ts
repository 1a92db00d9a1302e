import type { ServerHttp2Session } from 'node:http2';

/** What node:http2 asks itself before it ends a session that was closed. */
interface Handle {
  hasPendingData?(): boolean;
}

/**
 * True when nghttp2 neither reads nor writes any more. So it does, behind a GOAWAY, after most errors of a connection;
 * node:http2 tells nobody and stops to read, so that the streams stay and even a reset of the socket goes unseen.
 * There is no other way to ask: a PING that stays where it is could wait behind a client that reads slowly. False as well
 * in a Node that has no such question any more.
 */
export function isDeaf(session: ServerHttp2Session): boolean {
  if (session.destroyed) return false;
  const name = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle');
  const handle = name && (session as unknown as Record<symbol, Handle | undefined>)[name];
  return handle?.hasPendingData?.() === false;
}
