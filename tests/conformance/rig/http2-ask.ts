import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';

export interface Ask2Options {
  readonly headers?: OutgoingHttpHeaders;
  readonly content?: string;
  readonly trailers?: OutgoingHttpHeaders;
  readonly timeoutMs?: number;
}

/** All that came on one stream. */
export interface Answer2 {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  content: string;
  trailers: IncomingHttpHeaders | undefined;
  readonly interim: IncomingHttpHeaders[];
  /** The stream ended as a whole message does. */
  ended: boolean;
  /** The code of a reset; 0 is none. */
  code: number | undefined;
  readonly seen: string;
}

export function ask2(session: ClientHttp2Session, options: Ask2Options): Promise<Answer2> {
  const { headers = {}, content, trailers, timeoutMs = PATIENCE_MS } = options;
  const answer: Omit<Answer2, 'seen'> = {
    ...{ status: undefined, headers: {}, content: '', trailers: undefined, interim: [], ended: false, code: undefined },
  };
  const all: OutgoingHttpHeaders = { ':authority': 'app.test', ':path': '/', ...headers };
  if (session.destroyed || session.closed) return Promise.resolve(described(answer));
  const stream = session.request(all, { endStream: content === undefined, waitForTrailers: trailers !== undefined });
  stream.setEncoding('latin1');
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.on('response', (fields) => {
    answer.status = fields[':status'];
    answer.headers = fields;
  });
  stream.on('headers', (fields: IncomingHttpHeaders) => answer.interim.push(fields));
  stream.on('trailers', (fields: IncomingHttpHeaders) => (answer.trailers = fields));
  stream.on('data', (text: string) => (answer.content += text));
  stream.on('end', () => (answer.ended = true));
  stream.on('error', () => undefined);
  if (content !== undefined) stream.end(content, 'latin1');
  return new Promise((resolve) => {
    const timer = setTimeout(() => stream.destroy(), timeoutMs);
    stream.on('close', () => {
      clearTimeout(timer);
      answer.code = stream.rstCode;
      // Node ends the readable side of a stream that was reset, too.
      answer.ended &&= stream.rstCode === 0;
      resolve(described(answer));
    });
  });
}

function described(answer: Omit<Answer2, 'seen'>): Answer2 {
  const { status, ended, code } = answer;
  const head = status === undefined ? 'no answer' : String(status);
  const end = ended ? 'complete' : code === undefined || code === 0 ? 'cut' : `reset ${code}`;
  return { ...answer, seen: `${head}, ${end}` };
}
