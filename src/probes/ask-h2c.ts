import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { localhostLookup } from '../lib/localhost-lookup.ts';
import type { Answer, Question } from './ask-http.ts';

/** As askHttp, over HTTP/2 with prior knowledge (RFC 9113 section 3.3). */
export function askH2c({ endpoint, path, host }: Question, tell: (answer: Answer) => void): () => void {
  const fail = (reason: string): void => tell({ ok: false, reason: `GET ${path} over h2c failed: ${reason}` });
  const session = connectHttp2(`http://${host}`, {
    createConnection: () => connect({ ...endpoint, lookup: localhostLookup }),
  });
  session.on('error', (error: Error) => fail(error.message));
  session.on('close', () => fail('the connection was closed'));
  const stream = session.request({ ':path': path, 'user-agent': 'Reveille-Probe', accept: '*/*' });
  stream.on('error', (error: Error) => fail(error.message));
  stream.on('response', ({ ':status': status = 0 }) => {
    tell(status);
    // The head is the whole answer; a body is not worth keeping a session for.
    session.destroy();
  });
  stream.end();
  return () => session.destroy();
}
