import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { verdict, type ConformanceCase, type Verdict } from '../rig/conformance-case.ts';
import type { CaseBench } from '../rig/case-bench.ts';
import { statusOf, valuesOf } from '../rig/http1-reader.ts';

interface BadResponse {
  readonly id: string;
  readonly title: string;
  readonly reference: string;
  readonly bytes: string;
  /** The upstream closes behind it. */
  readonly closes?: boolean;
  /** A proxy may also mend it. */
  readonly mendable?: boolean;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const BAD: readonly BadResponse[] = [
  {
    id: 'status-text',
    title: 'A status that is no number',
    reference: 'RFC 9112 4',
    bytes: 'HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\nok',
  },
  {
    id: 'status-range',
    title: 'A status of 999',
    reference: 'RFC 9110 15',
    bytes: 'HTTP/1.1 999 OK\r\nContent-Length: 2\r\n\r\nok',
  },
  {
    id: 'status-short',
    title: 'A status of two digits',
    reference: 'RFC 9112 4',
    bytes: 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok',
  },
  { id: 'not-http', title: 'Bytes of another protocol', reference: 'RFC 9112 4', bytes: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' },
  {
    id: 'cl-two',
    title: 'Two different lengths',
    reference: 'RFC 9112 6.3',
    bytes: `${OK}Content-Length: 2\r\nContent-Length: 4\r\n\r\nokok`,
  },
  {
    id: 'cl-text',
    title: 'A length that is no number',
    reference: 'RFC 9112 6.3',
    bytes: `${OK}Content-Length: 2x\r\n\r\nok`,
  },
  {
    id: 'cl-negative',
    title: 'A negative length',
    reference: 'RFC 9112 6.3',
    bytes: `${OK}Content-Length: -2\r\n\r\nok`,
  },
  {
    id: 'cl-te',
    title: 'Content-Length with Transfer-Encoding',
    reference: 'RFC 9112 6.3',
    bytes: `${OK}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    mendable: true,
  },
  {
    id: 'te-unknown',
    title: 'An unknown Transfer-Encoding',
    reference: 'RFC 9112 6.1',
    bytes: `${OK}Transfer-Encoding: xchunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    closes: true,
  },
  {
    id: 'no-colon',
    title: 'A field line without a colon',
    reference: 'RFC 9112 5',
    bytes: `${OK}X-A 1\r\nContent-Length: 2\r\n\r\nok`,
    mendable: true,
  },
  {
    id: 'space-before-colon',
    title: 'A space before a colon',
    reference: 'RFC 9112 5.1',
    bytes: `${OK}X-A : 1\r\nContent-Length: 2\r\n\r\nok`,
    mendable: true,
  },
  {
    id: 'nul',
    title: 'A NUL in a field',
    reference: 'RFC 9110 5.5',
    bytes: `${OK}X-A: 1\u00002\r\nContent-Length: 2\r\n\r\nok`,
    mendable: true,
  },
  {
    id: 'bare-cr',
    title: 'A bare CR in a field',
    reference: 'RFC 9112 2.2',
    bytes: `${OK}X-A: 1\rX-B: 2\r\nContent-Length: 2\r\n\r\nok`,
    mendable: true,
  },
  {
    id: 'obs-fold',
    title: 'A folded line',
    reference: 'RFC 9112 5.2',
    bytes: `${OK}X-A: 1\r\n folded: 2\r\nContent-Length: 2\r\n\r\nok`,
    mendable: true,
  },
  {
    id: 'chunk-size',
    title: 'A chunk size that is no number',
    reference: 'RFC 9112 7.1',
    bytes: `${CHUNKED}2\r\nok\r\nzz\r\nok\r\n0\r\n\r\n`,
  },
  {
    id: 'chunk-long',
    title: 'A chunk longer than its size',
    reference: 'RFC 9112 7.1',
    bytes: `${CHUNKED}2\r\nokok\r\n0\r\n\r\n`,
  },
  {
    id: 'chunk-cut',
    title: 'Chunks cut in the middle',
    reference: 'RFC 9112 8',
    bytes: `${CHUNKED}5\r\nok`,
    closes: true,
  },
  {
    id: 'chunk-no-last',
    title: 'Chunks without the last one',
    reference: 'RFC 9112 8',
    bytes: `${CHUNKED}2\r\nok\r\n`,
    closes: true,
  },
  {
    id: 'cl-cut',
    title: 'Content shorter than its length',
    reference: 'RFC 9112 8',
    bytes: `${OK}Content-Length: 9\r\n\r\nok`,
    closes: true,
  },
  {
    id: 'head-cut',
    title: 'A head cut in the middle',
    reference: 'RFC 9112 8',
    bytes: `${OK}Content-Le`,
    closes: true,
  },
  { id: 'nothing', title: 'A close without a word', reference: 'RFC 9110 15.6.3', bytes: '', closes: true },
  {
    id: 'switch-unasked',
    title: 'A 101 that nobody asked for',
    reference: 'RFC 9110 15.2.2',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
  },
];

function play(bench: CaseBench, { bytes, closes = false }: BadResponse): void {
  bench.script(({ peer }) => {
    peer.send(bytes);
    if (closes) peer.socket.end();
  });
}

async function over1(bench: CaseBench, bad: BadResponse): Promise<Verdict> {
  play(bench, bad);
  const { reader, client, responses, seen } = await bench.exchange('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n', {
    timeoutMs: PATIENCE_MS,
  });
  const [first] = responses;
  if (first === undefined) return verdict(client.gone && reader.fault === undefined, seen);
  if (reader.fault !== undefined) return verdict(client.gone, seen);
  if (!first.complete) return verdict(client.gone, client.gone ? `aborted: ${seen}` : `hangs: ${seen}`);
  const isMended = bad.mendable === true && first.content === 'ok';
  return verdict(
    statusOf(first) >= 500 && statusOf(first) < 600 ? true : isMended,
    isMended ? `mended: ${seen}` : seen,
  );
}

async function over2(bench: CaseBench, bad: BadResponse): Promise<Verdict> {
  play(bench, bad);
  const answer = await bench.ask2({ timeoutMs: PATIENCE_MS });
  if ((answer.status ?? 0) >= 500 && (answer.status ?? 0) < 600) return verdict(true, answer.seen);
  if (answer.ended) return verdict(bad.mendable === true && answer.content === 'ok', answer.seen);
  return verdict(answer.code !== 0 && answer.code !== undefined && answer.code !== 8, answer.seen);
}

const bad: ConformanceCase[] = BAD.flatMap((one) => {
  const { id, title, reference } = one;
  const says = `${title} from the upstream is answered 5xx or ends in an abort`;
  return [
    { id: `response-${id}`, title: `${says}, over HTTP/1.1`, reference, run: (bench: CaseBench) => over1(bench, one) },
    {
      id: `response-${id}-h2`,
      title: `${says}, over HTTP/2`,
      reference,
      http2: true,
      run: (bench: CaseBench) => over2(bench, one),
    },
  ];
});

const fields: ConformanceCase = {
  id: 'hop-by-hop-response',
  title: 'Fields of the upstream connection, named or not, do not reach the client',
  reference: 'RFC 9110 7.6.1',
  run: async (bench) => {
    const lines =
      'Connection: x-a, keep-alive\r\nX-A: 1\r\nKeep-Alive: timeout=99\r\nProxy-Connection: a\r\nX-B: 2\r\n';
    bench.script(({ peer }) => peer.send(`${OK}${lines}Content-Length: 2\r\n\r\nok`));
    const { responses, seen } = await bench.exchange('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    const [first] = responses;
    if (first === undefined) return verdict(false, seen);
    const left = ['x-a', 'proxy-connection'].filter((name) => valuesOf(first, name).length > 0);
    if (valuesOf(first, 'keep-alive').includes('timeout=99')) left.push('keep-alive');
    return verdict(
      left.length === 0 && valuesOf(first, 'x-b').join() === '2',
      left.length === 0 ? 'gone' : `passed on: ${left.join(', ')}`,
    );
  },
};

const BODYLESS: readonly (readonly [string, string, string, string])[] = [
  ['head', 'A HEAD', 'HEAD', `${OK}Content-Length: 5\r\n\r\n`],
  ['204', 'A 204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['304', 'A 304 with a length', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
  ['205', 'A 205', 'GET', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'],
];

const bodyless: ConformanceCase[] = BODYLESS.map(([id, title, method, bytes]) => ({
  id: `bodyless-${id}`,
  title: `${title} has no content, and its connection serves the next request`,
  reference: 'RFC 9112 6.3, RFC 9110 8.6',
  run: async (bench) => {
    bench.script(({ peer, index }) => peer.send(index === 0 ? bytes : `${OK}Content-Length: 4\r\n\r\nnext`));
    const { client } = await bench.exchange(`${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`);
    const length = client.received.length;
    client.send('GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await client.until(/\r\n\r\nnext$/);
    const second = client.received.slice(length);
    return verdict(/^HTTP\/1\.1 200 [^]*\r\n\r\nnext$/.test(second), JSON.stringify(second.slice(0, 15)));
  },
}));

export const responses: readonly ConformanceCase[] = [
  ...bad,
  fields,
  ...bodyless,
  {
    id: 'response-too-late',
    title: 'An upstream that does not answer in time is answered for with 504 (or 502)',
    reference: 'RFC 9110 15.6.5',
    settings: { responseTimeoutMs: 300 },
    run: async (bench) => {
      bench.script(() => undefined);
      const { responses: all, seen } = await bench.exchange('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n', {
        timeoutMs: PATIENCE_MS,
      });
      return verdict(all[0] !== undefined && [502, 504].includes(statusOf(all[0])), seen);
    },
  },
  {
    id: 'response-head-endless',
    title: 'A response head without end is cut, not kept',
    reference: 'CWE-770',
    run: async (bench) => {
      bench.script(({ peer }) => {
        peer.send(OK);
        const line = `X-A: ${'a'.repeat(1_000)}\r\n`;
        for (let count = 0; count < 2_000; count += 1) peer.send(line);
      });
      const { responses: all, seen } = await bench.exchange('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n', {
        timeoutMs: PATIENCE_MS,
      });
      return verdict(all[0] !== undefined && statusOf(all[0]) >= 500, seen);
    },
  },
];
