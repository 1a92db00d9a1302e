import { describe, expect, it } from 'vitest';
import { MalformedResponse } from '../../../../src/proxy/forward/malformed-response.ts';
import { parseResponseHead } from '../../../../src/proxy/forward/response-head-parser.ts';

const parse = (text: string, maxFields = 100) => {
  const bytes = Buffer.from(`${text}\r\n`, 'latin1');
  return parseResponseHead(bytes, 0, bytes.length - 2, maxFields);
};

describe('parseResponseHead', () => {
  it('reads status, reason and fields with their case, order and duplicates', () => {
    const head = parse('HTTP/1.1 404 Not Here\r\nSet-Cookie: a=1\r\nset-cookie:  b=2 \t\r\nX-Empty:\r\n');
    expect(head).toMatchObject({ protocolVersion: '1.1', status: 404, reason: 'Not Here', chunked: false });
    expect(head.fields.pairs).toEqual(['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Empty', '']);
  });

  it('takes a status line without a reason, with and without its space', () => {
    expect(parse('HTTP/1.0 200 \r\n').reason).toBe('');
    expect(parse('HTTP/1.0 200\r\n')).toMatchObject({ protocolVersion: '1.0', status: 200, reason: '' });
  });

  it('keeps bytes above 127 as they are', () => {
    expect(parse('HTTP/1.1 200 OK\r\nX-A: \xe9\xff\r\n').fields.pairs[1]).toBe('\xe9\xff');
  });

  it('reads the framing and what Connection and Keep-Alive say', () => {
    expect(parse('HTTP/1.1 200 OK\r\ncontent-length: 42\r\n').contentLength).toBe(42);
    expect(parse('HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n').chunked).toBe(true);
    const head = parse('HTTP/1.1 200 OK\r\nConnection: Close, x-a\r\nKeep-Alive: max=3, timeout=7\r\n');
    expect(head.connection).toEqual(['close', 'x-a']);
    expect(head.keepAliveSeconds).toBe(7);
  });

  it.each([
    ['a bare LF', 'HTTP/1.1 200 OK\nA: b\r\n'],
    ['a bare CR', 'HTTP/1.1 200 OK\r\nA: b\rc\r\n'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nA: b\0c\r\n'],
    ['a DEL', 'HTTP/1.1 200 OK\r\nA: b\x7f\r\n'],
    ['obs-fold', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n'],
    ['an empty name', 'HTTP/1.1 200 OK\r\n: b\r\n'],
    ['a name with a space', 'HTTP/1.1 200 OK\r\nA b: c\r\n'],
    ['a line without colon', 'HTTP/1.1 200 OK\r\nabc\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n'],
    ['HTTP/0.9', '<html>\r\n'],
    ['lower case', 'http/1.1 200 OK\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n'],
    ['a status above 599', 'HTTP/1.1 600 OK\r\n'],
    ['two spaces', 'HTTP/1.1  200 OK\r\n'],
    ['a length with a sign', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n'],
    ['a hexadecimal length', 'HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n'],
    ['an empty length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n'],
    ['two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n'],
    ['a length beyond all numbers', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n'],
    ['chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
    ['an empty coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n'],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n'],
  ])('refuses %s (RFC 9112 2 to 6)', (_what, text) => {
    expect(() => parse(text)).toThrow(MalformedResponse);
  });

  it('bounds the number of fields', () => {
    const head = `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(5)}`;
    expect(parse(head, 5).fields.pairs).toHaveLength(10);
    expect(() => parse(head, 4)).toThrow('more than 4 fields');
  });
});
