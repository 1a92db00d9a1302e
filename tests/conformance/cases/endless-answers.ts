import { PATIENCE_MS, type BytePeer } from '../../support/wire/byte-peer.ts';
import type { CaseBench } from '../rig/case-bench.ts';
import { verdict, type ConformanceCase, type Verdict } from '../rig/conformance-case.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n';
const FILLER = 'a'.repeat(1_000);

/** Sends a part over and over; whoever has bounds leaves the upstream, and whoever passes all on has none. */
async function isCut(bench: CaseBench, start: string, part: string): Promise<Verdict> {
  bench.script(({ peer }) => {
    peer.send(start);
    sendOn(peer, part, 4_000);
  });
  const client = await bench.client();
  client.send('GET / HTTP/1.1\r\nHost: app.test\r\nTE: trailers\r\nConnection: TE\r\n\r\n');
  const gone = await bench.upstream.until(() => bench.upstream.peers[0]?.gone === true, PATIENCE_MS);
  return verdict(gone, gone ? 'cut' : '4 MB taken, still open');
}

function sendOn(peer: BytePeer, part: string, left: number): void {
  if (left === 0 || peer.gone) return;
  peer.send(part);
  setImmediate(() => sendOn(peer, part, left - 1));
}

export const endlessAnswers: readonly ConformanceCase[] = [
  {
    id: 'answer-trailers-endless',
    title: 'Trailers of an answer without end are cut',
    reference: 'CWE-770, RFC 9112 7.1.2',
    run: (bench) => isCut(bench, `${CHUNKED}0\r\n`, `X-A: ${FILLER}\r\n`),
  },
  {
    id: 'answer-extension-endless',
    title: 'A chunk extension of an answer without end is cut',
    reference: 'RFC 9112 7.1.1, CWE-770',
    run: (bench) => isCut(bench, `${CHUNKED}2;`, FILLER),
  },
  {
    id: 'answer-size-endless',
    title: 'A chunk size of an answer without end is cut',
    reference: 'RFC 9112 7.1, CWE-190',
    run: (bench) => isCut(bench, CHUNKED, '0'.repeat(1_000)),
  },
  {
    id: 'interim-endless',
    title: 'Interim answers without end are cut',
    reference: 'RFC 9110 15.2, CWE-770',
    run: (bench) => isCut(bench, '', `HTTP/1.1 103 Early Hints\r\nLink: </${FILLER}>\r\n\r\n`),
  },
];
