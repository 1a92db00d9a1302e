import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { isDeaf } from './deaf-session.ts';

/** How often a session with streams is asked whether it still hears its client, in milliseconds. */
const LISTEN_EVERY_MS = 500;

/**
 * Ends streams that nobody else would ever end. Their answer is complete, and the client does not read it (CVE-2019-9517:
 * a window of nothing): whoever made it has gone by then. Little of an answer is left at that point: it has between one
 * and two spans of `timeoutMs`. As much has a session with streams to answer a PING. At once end those of a session that
 * broke: RFC 9113 5.4.1 wants the connection closed behind the GOAWAY.
 */
export function endUnreadStreams(session: ServerHttp2Session, socket: Socket, timeoutMs: number): void {
  const streams = new Set<ServerHttp2Stream>();
  const unread = new WeakSet<ServerHttp2Stream>();
  session.on('stream', (stream: ServerHttp2Stream) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  const ask = questions(session);
  let over = false;
  const sweep = setInterval(() => {
    // A session that is over closes its connection once the client has read the rest, which it may never do.
    if (over) socket.destroy();
    over = session.destroyed;
    if (streams.size > 0) ask();
    for (const stream of streams) {
      if (unread.has(stream)) stream.close(constants.NGHTTP2_CANCEL);
      else if (stream.writableEnded) unread.add(stream);
    }
  }, timeoutMs);
  sweep.unref();
  const listening = setInterval(() => {
    // All its streams may be over before a session that was closed is.
    if (streams.size > 0 && isDeaf(session) && [...streams].some(({ closed }) => !closed)) session.destroy();
  }, LISTEN_EVERY_MS);
  listening.unref();
  session.once('close', () => {
    clearInterval(sweep);
    clearInterval(listening);
  });
}

/** Asks by PING; who has not answered when it is asked again has gone, or reads nothing. */
function questions(session: ServerHttp2Session): () => void {
  let owesAnswer = false;
  return () => {
    if (session.destroyed) return;
    if (owesAnswer) session.destroy();
    else owesAnswer = session.ping(() => (owesAnswer = false));
  };
}
