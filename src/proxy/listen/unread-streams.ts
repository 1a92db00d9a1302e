import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

/**
 * Ends streams whose answer is complete and that the client does not read (CVE-2019-9517: a window of nothing). Whoever
 * made the answer has gone by then, so that nobody else would ever end them. Little of an answer is left at that point:
 * it has between one and two spans of `timeoutMs`.
 */
export function endUnreadStreams(session: ServerHttp2Session, timeoutMs: number): void {
  const streams = new Set<ServerHttp2Stream>();
  const unread = new WeakSet<ServerHttp2Stream>();
  session.on('stream', (stream: ServerHttp2Stream) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  const sweep = setInterval(() => {
    for (const stream of streams) {
      if (unread.has(stream)) stream.close(constants.NGHTTP2_CANCEL);
      else if (stream.writableEnded) unread.add(stream);
    }
  }, timeoutMs);
  sweep.unref();
  session.once('close', () => clearInterval(sweep));
}
