import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { okResponse } from '../rig/case-upstream.ts';
import { doubtful, SECRET, type DoubtfulRequest } from './doubtful-request.ts';

const HOST = 'Host: app.test\r\n';
const chunked = (coding: string): string => `POST / HTTP/1.1\r\n${HOST}${coding}\r\n\r\n0\r\n\r\n`;
const lengths = (...lines: string[]): string => `POST / HTTP/1.1\r\n${HOST}${lines.join('\r\n')}\r\n\r\nabc`;

const TRANSFER_ENCODING: DoubtfulRequest[] = [
  ['gzip-chunked', 'A Transfer-Encoding of "gzip, chunked" is refused', 'Transfer-Encoding: gzip, chunked'],
  ['xchunked', 'A Transfer-Encoding of "xchunked" is refused', 'Transfer-Encoding: xchunked'],
  ['chunked-twice', 'A Transfer-Encoding of "chunked, chunked" is refused', 'Transfer-Encoding: chunked, chunked'],
  ['chunked-gzip', 'A Transfer-Encoding that does not end with chunked is refused', 'Transfer-Encoding: chunked, gzip'],
  ['identity', 'A Transfer-Encoding of "identity" is refused', 'Transfer-Encoding: identity'],
  ['vertical-tab', 'A control character before "chunked" is refused', 'Transfer-Encoding: \x0bchunked'],
  ['two-fields', 'Two Transfer-Encoding fields are refused', 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked'],
  ['space-before-colon', 'A space before the colon is refused', 'Transfer-Encoding : chunked'],
  ['quoted', 'A quoted "chunked" is refused', 'Transfer-Encoding: "chunked"'],
  ['empty', 'An empty Transfer-Encoding beside a length is refused', 'Transfer-Encoding:\r\nContent-Length: 5'],
].map(([id = '', title = '', coding = '']) => {
  const reference = id === 'space-before-colon' ? 'RFC 9112 5.1' : 'RFC 9112 6.1, 6.3';
  return { id: `te-${id}`, title, reference, bytes: chunked(coding) };
});

const CONTENT_LENGTH: DoubtfulRequest[] = [
  ['two-values', 'Two different lengths are refused', 'Content-Length: 3', 'Content-Length: 5'],
  ['list', 'A list of different lengths is refused', 'Content-Length: 3, 5'],
  ['plus', 'A length with a sign is refused', 'Content-Length: +3'],
  ['minus', 'A negative length is refused', 'Content-Length: -3'],
  ['hexadecimal', 'A hexadecimal length is refused', 'Content-Length: 0x3'],
  ['empty', 'An empty length is refused', 'Content-Length:'],
  ['space', 'A length with a space in it is refused', 'Content-Length: 3 3'],
  ['space-before-colon', 'A space before the colon of Content-Length is refused', 'Content-Length : 3'],
  ['overflow', 'A length beyond all integers is refused', 'Content-Length: 99999999999999999999999999'],
].map(([id = '', title = '', ...lines]) => ({
  id: `cl-${id}`,
  title,
  reference: 'RFC 9112 6.3',
  bytes: lengths(...lines),
}));

const BOTH: DoubtfulRequest[] = [
  {
    id: 'cl-te',
    title: 'Nothing is served behind a request with Content-Length and Transfer-Encoding',
    reference: 'RFC 9112 6.1, 11.2',
    bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: ${SECRET.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECRET}`,
    mayForward: true,
  },
  {
    id: 'te-cl',
    title: 'Nothing is served behind a request with Transfer-Encoding and Content-Length',
    reference: 'RFC 9112 6.1, 11.2',
    bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SECRET}`,
    mayForward: true,
  },
  {
    id: 'cl-same-twice',
    title: 'A length that comes twice is refused or becomes one',
    reference: 'RFC 9112 6.3',
    bytes: lengths('Content-Length: 3', 'Content-Length: 3'),
    mayForward: true,
  },
  {
    id: 'te-http-1-0',
    title: 'Nothing is served behind Transfer-Encoding in HTTP/1.0',
    reference: 'RFC 9112 6.1',
    bytes: `POST / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECRET}`,
    mayForward: true,
  },
];

const hidden = `${SECRET.length.toString(16)}\r\n${SECRET}\r\n`;
const body = (content: string): string => `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${content}`;

const CHUNKS: DoubtfulRequest[] = [
  ['size-prefix', 'A chunk size of "0x3" is refused', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['size-minus', 'A negative chunk size is refused', '-3\r\nabc\r\n0\r\n\r\n'],
  ['size-plus', 'A chunk size with a sign is refused', '+3\r\nabc\r\n0\r\n\r\n'],
  ['size-empty', 'An empty chunk size is refused', '\r\nabc\r\n0\r\n\r\n'],
  ['size-underscore', 'A chunk size with a separator is refused', '1_0\r\nabcdefghijklmnop\r\n0\r\n\r\n'],
  ['size-overflow', 'A chunk size beyond 64 bits is refused', `10000000000000003\r\nabc\r\n0\r\n\r\n${SECRET}`],
  ['size-too-small', 'A chunk longer than its size is refused', `2\r\nabc\r\n0\r\n\r\n${SECRET}`],
  ['size-bare-lf', 'A chunk size that ends with a bare LF hides nothing', `3\nabc\r\n0\r\n\r\n`],
  ['data-bare-lf', 'Chunk data that ends with a bare LF hides nothing', `3\r\nabc\n0\r\n\r\n`],
  ['data-bare-cr', 'Chunk data that ends with a bare CR hides nothing', `3\r\nabc\r0\r\n\r\n`],
  ['extension-bare-lf', 'An extension with a bare LF hides nothing (TERM.EXT)', `2;\nxx\r\n${hidden}0\r\n\r\n`],
  ['extension-bare-cr', 'An extension with a bare CR hides nothing', `2;a\rb\r\nxx\r\n0\r\n\r\n`],
  ['extension-nul', 'An extension with a NUL hides nothing', `2;a\0b\r\nxx\r\n0\r\n\r\n`],
].map(([id = '', title = '', content = '']) => ({
  id: `chunk-${id}`,
  title,
  reference: id.startsWith('extension') ? 'RFC 9112 7.1.1, CVE-2025-55315' : 'RFC 9112 7.1',
  bytes: body(content),
  mayForward: /lf$|cr$|nul$/.test(id),
}));

/** The proxy frames what it sends by itself, whatever the method. */
const TRUE_FRAMING: ConformanceCase[] = ['DELETE', 'OPTIONS', 'GET', 'POST', 'PATCH'].map((method) => ({
  id: `chunked-${method.toLowerCase()}`,
  title: `A chunked ${method} that hides a request in its content is one request upstream`,
  reference: 'CVE-2026-29057, RFC 9112 6',
  run: async (bench) => {
    const upstream = bench.script(({ peer, message, path }) => {
      void peer.changes.until(() => message.complete, PATIENCE_MS).then(() => peer.send(okResponse(path)));
    });
    const { seen } = await bench.exchange(
      `${method} /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${hidden}0\r\n\r\n`,
      { timeoutMs: PATIENCE_MS },
    );
    await upstream.until(() => upstream.requests.length > 1, 60);
    const [first, second] = upstream.requests;
    if (second !== undefined) return verdict(false, `smuggled: ${second.path} reached the upstream`);
    if (first === undefined) return verdict(seen.startsWith('4'), seen);
    return verdict(first.message.content === SECRET, `${seen}; ${first.message.content.length} bytes upstream`);
  },
}));

export const requestFraming: readonly ConformanceCase[] = [
  ...TRUE_FRAMING,
  ...[...BOTH, ...TRANSFER_ENCODING, ...CONTENT_LENGTH, ...CHUNKS].map(doubtful),
];
