import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { statusOf, valuesOf, type Http1Message } from '../rig/http1-reader.ts';

const OWN: readonly (readonly [number, string, string, string])[] = [
  [400, 'bad_request', 'bytes that are no request', 'nonsense\r\n\r\n'],
  [
    400,
    'bad_framing',
    'framing in doubt',
    'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  ],
  [400, 'bad_host', 'a Host that is none', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
  [404, 'unknown_host', 'an unknown host', 'GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n'],
  [
    417,
    'expectation_failed',
    'an expectation that cannot be met',
    'GET / HTTP/1.1\r\nHost: app.test\r\nExpect: a\r\n\r\n',
  ],
  [
    431,
    'headers_too_large',
    'a head that is too large',
    `GET / HTTP/1.1\r\nHost: app.test\r\nX-A: ${'a'.repeat(60_000)}\r\n\r\n`,
  ],
  [502, 'upstream_bad_response', 'a response that is not valid', 'GET /bad HTTP/1.1\r\nHost: app.test\r\n\r\n'],
  [502, 'upstream_reset', 'an upstream that closes', 'GET /close HTTP/1.1\r\nHost: app.test\r\n\r\n'],
  [504, 'upstream_timeout', 'an upstream that says nothing', 'GET /silent HTTP/1.1\r\nHost: app.test\r\n\r\n'],
];

export const ownAnswers: readonly ConformanceCase[] = OWN.map(([status, code, what, bytes]) => ({
  id: `own-${code.replaceAll('_', '-')}`,
  title: `The answer to ${what} is a ${status} problem with the code ${code} and a request id`,
  reference: 'RFC 9457; scenario 43',
  own: true,
  settings: { responseTimeoutMs: 200 },
  run: async (bench) => {
    bench.script(({ peer, path }) => {
      if (path === '/bad') peer.send('HTTP/1.1 2x0 OK\r\n\r\n');
      if (path === '/close') peer.socket.end();
    });
    const { responses, seen } = await bench.exchange(bytes);
    const [first] = responses;
    if (first === undefined) return verdict(false, seen);
    const found = problemOf(first);
    const isRight =
      statusOf(first) === status && found.code === code && found.requestId === valuesOf(first, 'x-request-id')[0];
    return verdict(isRight && found.requestId !== undefined, `${statusOf(first)} ${found.code ?? 'without a code'}`);
  },
}));

function problemOf(message: Http1Message): { code?: string; requestId?: string } {
  if (valuesOf(message, 'content-type')[0] !== 'application/problem+json') return {};
  return JSON.parse(message.content) as { code?: string; requestId?: string };
}
