import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

/**
 * Ends streams whose answer is complete and that the client does not read (CVE-2019-9517: a window of nothing). Whoever
 * made the answer has gone by then, so that nobody else would ever end them. Little of an answer is left at that point:
 * it has between one and two spans of `timeoutMs`. As much has a session with streams to answer a PING.
 */
export function endUnreadStreams(session: ServerHttp2Session, timeoutMs: number): void {
  const streams = new Set<ServerHttp2Stream>();
  const unread = new WeakSet<ServerHttp2Stream>();
  session.on('stream', (stream: ServerHttp2Stream) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  const ask = questions(session);
  const sweep = setInterval(() => {
    if (streams.size > 0) ask();
    for (const stream of streams) {
      if (unread.has(stream)) stream.close(constants.NGHTTP2_CANCEL);
      else if (stream.writableEnded) unread.add(stream);
    }
  }, timeoutMs);
  sweep.unref();
  session.once('close', () => clearInterval(sweep));
}

/**
 * Asks by PING; who has not answered when it is asked again has gone, or reads nothing. nghttp2 is deaf as well after an
 * error of the connection, and says so by a GOAWAY alone: RFC 9113 5.4.1 wants the connection closed after it.
 */
function questions(session: ServerHttp2Session): () => void {
  let owesAnswer = false;
  return () => {
    if (session.destroyed) return;
    if (owesAnswer) session.destroy();
    else owesAnswer = session.ping(() => (owesAnswer = false));
  };
}
