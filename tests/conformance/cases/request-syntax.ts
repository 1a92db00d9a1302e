import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { doubtful, type DoubtfulRequest } from './doubtful-request.ts';

const HOST = 'Host: app.test\r\n';
const get = (lines: string): string => `GET / HTTP/1.1\r\n${HOST}${lines}\r\n`;
const line = (text: string): string => `${text}\r\n${HOST}\r\n`;

const FIELDS: DoubtfulRequest[] = [
  ['bare-lf', 'Lines that end with a bare LF hide nothing', 'RFC 9112 2.2', `GET / HTTP/1.1\n${HOST}X-A: 1\n\n`, true],
  ['bare-cr', 'A bare CR in a field is refused or replaced', 'RFC 9112 2.2', get('X-A: 1\rX-B: 2\r\n'), true],
  ['nul', 'A NUL in a field is refused or replaced', 'RFC 9110 5.5', get('X-A: 1\u00002\r\n'), true],
  ['obs-fold', 'A folded line is refused or unfolded', 'RFC 9112 5.2', get('X-A: 1\r\n folded: 2\r\n'), true],
  [
    'obs-fold-te',
    'A folded Transfer-Encoding hides nothing',
    'RFC 9112 5.2',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
    true,
  ],
  [
    'leading-space',
    'A space before the first field is refused or that line dropped',
    'RFC 9112 2.2',
    `GET / HTTP/1.1\r\n X-A: 1\r\n${HOST}\r\n`,
    true,
  ],
  ['no-colon', 'A line without a colon is refused', 'RFC 9112 5', get('X-A 1\r\n'), false],
  ['empty-name', 'A field without a name is refused', 'RFC 9112 5', get(': 1\r\n'), false],
  ['space-in-name', 'A field name with a space is refused', 'RFC 9110 5.1', get('X A: 1\r\n'), false],
  ['space-before-colon', 'A field name with a space behind it is refused', 'RFC 9112 5.1', get('X-A : 1\r\n'), false],
  ['delimiter-in-name', 'A field name with a bracket is refused', 'RFC 9110 5.6.2', get('X[A]: 1\r\n'), false],
  [
    'high-byte-in-name',
    'A field name with a byte above ASCII is refused',
    'RFC 9110 5.6.2',
    get('X-\xc0: 1\r\n'),
    false,
  ],
].map(
  ([id, title, reference, bytes, mayForward]) =>
    ({ id: `field-${String(id)}`, title, reference, bytes, mayForward }) as DoubtfulRequest,
);

const LINES: DoubtfulRequest[] = [
  ['version-2', 'HTTP/2.0 as text is refused', 'RFC 9110 2.5', line('GET / HTTP/2.0'), false],
  ['version-1-2', 'HTTP/1.2 is refused or passed on as HTTP/1.1', 'RFC 9110 2.5', line('GET / HTTP/1.2'), true],
  ['version-0-9', 'A request without a version is refused', 'RFC 9112 2.3', 'GET /\r\n\r\n', false],
  ['version-lower', 'A version in lower case is refused', 'RFC 9112 2.3', line('GET / http/1.1'), false],
  ['version-spaces', 'A version with a space is refused', 'RFC 9112 2.3', line('GET / HTTP/ 1.1'), false],
  ['space-in-target', 'A target with a space is refused', 'RFC 9112 3.2', line('GET /a b HTTP/1.1'), false],
  ['fragment', 'A fragment does not travel', 'RFC 9112 3.2', line('GET /a#b HTTP/1.1'), false],
  [
    'control-in-target',
    'A target with a control character is refused',
    'RFC 9112 3.2',
    line('GET /a\x01b HTTP/1.1'),
    false,
  ],
  ['method-delimiter', 'A method with a delimiter is refused', 'RFC 9110 9.1', line('GE"T / HTTP/1.1'), false],
  [
    'connect',
    'CONNECT makes no tunnel through a reverse proxy',
    'RFC 9110 9.3.6',
    'CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n',
    false,
  ],
  [
    'asterisk-get',
    'A target of "*" is refused for GET, or passed on as it is',
    'RFC 9112 3.2.4',
    line('GET * HTTP/1.1'),
    true,
  ],
].map(
  ([id, title, reference, bytes, mayForward]) =>
    ({ id: `line-${String(id)}`, title, reference, bytes, mayForward }) as DoubtfulRequest,
);

export const requestSyntax: readonly ConformanceCase[] = [
  ...[...FIELDS, ...LINES].map(doubtful),
  {
    id: 'line-h2-preface',
    title: 'The preface of HTTP/2 on a connection that agreed on HTTP/1.1 is no request for the upstream',
    reference: 'RFC 9113 3.4',
    run: async (bench) => {
      const { client, seen } = await bench.exchange('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', { timeoutMs: PATIENCE_MS });
      const answered = client.received !== '' || client.gone;
      return verdict(answered && bench.upstream.requests.length === 0, seen);
    },
  },
];
