import { describe, expect, it } from 'vitest';
import { ChunkedDecoder } from '../../../../src/proxy/forward/chunked-decoder.ts';
import { MalformedResponse } from '../../../../src/proxy/forward/malformed-response.ts';

const limits = { maxTrailerBytes: 200, maxTrailerFields: 3 };

function decode(coded: string, step = coded.length) {
  const decoder = new ChunkedDecoder(limits);
  const bytes = Buffer.from(coded, 'latin1');
  let content = '';
  let used = 0;
  const reader = { onContent: (chunk: Buffer) => void (content += chunk.toString('latin1')) };
  for (let at = 0; at < bytes.length && !decoder.done; at += step) {
    used += decoder.decode(bytes.subarray(at, at + step), 0, reader);
  }
  return { content, done: decoder.done, trailers: decoder.trailers, used };
}

describe('ChunkedDecoder', () => {
  const coded = '5\r\nhello\r\nA;name="v"\r\n, world!!!\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n';

  it.each([1, 2, 3, 5, 7, 1_000])('reads content and trailers that come %i bytes at a time', (step) => {
    expect(decode(coded, step)).toEqual({
      content: 'hello, world!!!',
      done: true,
      trailers: ['X-Sum', '1', 'X-B', '2'],
      used: coded.length,
    });
  });

  it('stops behind the last chunk and leaves what follows', () => {
    expect(decode('1\r\na\r\n0\r\n\r\nHTTP/1.1')).toMatchObject({ content: 'a', done: true, used: 11 });
    expect(decode('0\r\nA: b\r\n\r\nmore')).toMatchObject({ done: true, used: 11 });
  });

  it('is not done before the empty line has come', () => {
    expect(decode('1\r\na\r\n0\r\n')).toMatchObject({ done: false });
    expect(decode('1\r\na\r\n0\r\n\r')).toMatchObject({ done: false });
  });

  it.each([
    ['no size', '\r\nabc'],
    ['a size that is no number', 'g\r\n'],
    ['a size with a prefix', '0x5\r\nhello\r\n'],
    ['a negative size', '-1\r\n'],
    ['a space before the size', ' 5\r\nhello\r\n'],
    ['a space behind the size', '5 \r\nhello\r\n'],
    ['a bare LF behind the size', '5\nhello\r\n'],
    ['a bare CR behind the size', '5\rhello\r\n'],
    ['content longer than its size', '5\r\nhellooo\r\n'],
    ['a bare LF behind the content', '5\r\nhello\n0\r\n\r\n'],
    ['a size beyond all numbers', 'fffffffffffffffff\r\n'],
    ['a line feed in an extension (CVE-2025-22871)', '5;a\nb\r\nhello\r\n'],
    ['a control character in an extension', '5;a\0\r\nhello\r\n'],
    ['an extension without end', `5;${'a'.repeat(300)}`],
    ['trailers without end', `0\r\nA: ${'b'.repeat(300)}`],
    ['a trailer with a bare LF', '0\r\nA: b\nC: d\r\n\r\n'],
    ['a bare LF as the empty line', '0\r\n\n'],
    ['a bare LF as the empty line behind trailers', '0\r\nA: b\n\r\n'],
    ['a bare CR as the empty line', '0\r\n\rx'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['too many trailers', `0\r\n${'a: b\r\n'.repeat(4)}\r\n`],
  ])('refuses %s (RFC 9112 7.1)', (_what, text) => {
    expect(() => decode(text)).toThrow(MalformedResponse);
    expect(() => decode(text, 1)).toThrow(MalformedResponse);
  });
});
