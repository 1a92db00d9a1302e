import { describe, expect, it } from 'vitest';
import { Authorities, parseAuthority } from '../../src/proxy/listen/authority.ts';
import { checkHttp2 } from '../../src/proxy/listen/http2-request-rules.ts';
import { RequestIds } from '../../src/proxy/listen/request-ids.ts';
import { checkHttp1, type Http1Head } from '../../src/proxy/listen/request-rules.ts';

const limits = { maxUrlBytes: 100, maxHeaderFields: 10 };

function head(change: Partial<Http1Head>): Http1Head {
  return { httpVersion: '1.1', method: 'GET', url: '/', rawHeaders: ['Host', 'a.test'], ...change };
}

const http1 = (change: Partial<Http1Head>) => checkHttp1(head(change), limits, new Authorities());
const withHost = (...hosts: string[]) => http1({ rawHeaders: hosts.flatMap((host) => ['Host', host]) });

describe('the rules of HTTP/1 requests', () => {
  it.each([
    ['A.Test', 'a.test'],
    ['a.test.', 'a.test'],
    ['a.test:8443', 'a.test'],
    ['a.test:', 'a.test'],
    ['localhost', 'localhost'],
    ['127.0.0.1:1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[::1]:443', '[::1]'],
    ['a_b.test', 'a_b.test'],
    ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
  ])('accept Host: %s', (written, host) => {
    expect(withHost(written)).toMatchObject({ ok: true, host, authority: written });
  });

  it.each([
    '',
    'a@b',
    'a, b',
    'a b',
    'a:99999',
    'a:0',
    'a:x',
    'a:1:2',
    'a:-1',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    'a%2eb',
    'a..b',
    '.a',
    '.',
    '-a.test',
    'a-.test',
    'a\u0000b',
    '\u00fc.test',
    '[::1',
    '::1',
    '[::g]',
    '[fe80::1%25eth0]',
    '[::1]x',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(130)}test`,
    'http://a.test',
    '*.test',
    "a'b",
  ])('refuse Host: %j with 400', (written) => {
    expect(withHost(written)).toMatchObject({ ok: false, status: 400, code: 'bad_host' });
  });

  it('refuse two Host fields, even equal ones, and close', () => {
    expect(withHost('a.test', 'b.test')).toMatchObject({ status: 400, code: 'bad_host', close: true });
    expect(withHost('a.test', 'a.test')).toMatchObject({ status: 400, code: 'bad_host', close: true });
  });

  it('want a Host in HTTP/1.1, and a host from somewhere in HTTP/1.0', () => {
    expect(withHost()).toMatchObject({ status: 400, code: 'missing_host' });
    expect(http1({ rawHeaders: [], url: 'http://b.test/' })).toMatchObject({ status: 400, code: 'missing_host' });
    expect(http1({ httpVersion: '1.0', rawHeaders: [] })).toMatchObject({ status: 400, code: 'missing_host' });
    expect(http1({ httpVersion: '1.0', rawHeaders: [], url: 'http://b.test/x' })).toMatchObject({
      ok: true,
      host: 'b.test',
    });
    expect(http1({ httpVersion: '1.0' })).toMatchObject({ ok: true, host: 'a.test' });
  });

  it.each([
    ['GET', 'http://b.test/x?y', 'b.test', '/x?y'],
    ['GET', 'HTTPS://B.test:444', 'b.test', '/'],
    ['GET', 'http://b.test?q=1', 'b.test', '/?q=1'],
    ['OPTIONS', 'http://b.test', 'b.test', '*'],
    ['OPTIONS', 'http://b.test/', 'b.test', '/'],
  ])('let the absolute target of %s %s win over Host', (method, url, host, target) => {
    expect(http1({ method, url })).toMatchObject({ ok: true, host, target });
  });

  it('judge the Host field even when the target is absolute', () => {
    expect(http1({ url: 'http://b.test/', rawHeaders: ['Host', 'a@b'] })).toMatchObject({
      status: 400,
      code: 'bad_host',
    });
  });

  it.each([
    ['GET', '/a b'],
    ['GET', '/a#b'],
    ['GET', '/a\u0000b'],
    ['GET', '/a\tb'],
    ['GET', '/a\u007fb'],
    ['GET', '/a\\..\\b'],
    ['GET', ''],
    ['GET', '*'],
    ['GET', 'a.test:443'],
    ['GET', 'ftp://b.test/'],
    ['GET', 'http://u@b.test/'],
    ['GET', 'http://u:p@b.test/'],
    ['GET', 'http:///x'],
    ['GET', 'http://b.test:99999/'],
    ['GET', 'http://b.test\\@c.test/'],
    ['GET', 'https:/b.test'],
  ])('refuse the target of %s %j', (method, url) => {
    expect(http1({ method, url })).toMatchObject({ ok: false, status: 400, code: 'bad_target' });
  });

  it.each(['/a?b\\c', '/%00', '/%2e%2e/x', '//a.test/x', '/a|b', '/\u00fc', '/?x={y}'])(
    'pass on the target %j as it is',
    (url) => {
      expect(http1({ url })).toMatchObject({ ok: true, target: url, host: 'a.test' });
    },
  );

  it('know OPTIONS *, and no tunnels', () => {
    expect(http1({ method: 'OPTIONS', url: '*' })).toMatchObject({ ok: true, target: '*' });
    expect(http1({ method: 'CONNECT', url: 'b.test:443' })).toMatchObject({ status: 501, close: true });
  });

  it.each([
    [['Transfer-Encoding', 'gzip, chunked']],
    [['Transfer-Encoding', 'chunked, chunked']],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'gzip', 'transfer-encoding', 'chunked']],
    [['Transfer-Encoding', 'identity']],
    [['Transfer-Encoding', 'xchunked']],
    [['Transfer-Encoding', 'chunked;a=b']],
    [['Transfer-Encoding', '']],
    [['Transfer-Encoding', '\u000bchunked']],
    [['Transfer-Encoding', 'chunked', 'Content-Length', '3']],
    [['Content-Length', '3', 'Content-Length', '3']],
    [['Content-Length', '3, 3']],
    [['Content-Length', '+3']],
    [['Content-Length', '-1']],
    [['Content-Length', '0x3']],
    [['Content-Length', '']],
    [['Content-Length', '9'.repeat(20)]],
  ])('refuse the framing of %j and close', (fields) => {
    const verdict = http1({ method: 'POST', rawHeaders: ['Host', 'a.test', ...fields] });
    expect(verdict).toMatchObject({ ok: false, status: 400, code: 'bad_framing', close: true });
  });

  it('refuse Transfer-Encoding in HTTP/1.0', () => {
    const rawHeaders = ['Host', 'a.test', 'Transfer-Encoding', 'chunked'];
    expect(http1({ httpVersion: '1.0', rawHeaders })).toMatchObject({ status: 400, code: 'bad_framing', close: true });
    expect(http1({ rawHeaders: [...rawHeaders.slice(0, 3), 'Chunked'] })).toMatchObject({ ok: true });
  });

  it.each(['2.0', '0.9', '1.2', '3.0'])('refuse HTTP/%s with 505', (httpVersion) => {
    expect(http1({ httpVersion })).toMatchObject({ status: 505, close: true });
  });

  it('bound the URL and the number of fields', () => {
    expect(http1({ url: `/${'a'.repeat(99)}` })).toMatchObject({ ok: true });
    expect(http1({ url: `/${'a'.repeat(100)}` })).toMatchObject({ status: 414 });
    const fields = Array<string>(20).fill('x');
    expect(http1({ rawHeaders: ['Host', 'a.test', ...fields] })).toMatchObject({ status: 431 });
  });
});

const request = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'];
const http2 = (...raw: string[]) => checkHttp2(raw, limits);

describe('the rules of HTTP/2 requests', () => {
  it('accept :authority, or Host in its place, or both when they agree', () => {
    expect(http2(...request)).toMatchObject({ ok: true, host: 'a.test', target: '/' });
    expect(http2(':method', 'GET', ':scheme', 'https', ':path', '/', 'host', 'B.test')).toMatchObject({
      ok: true,
      host: 'b.test',
    });
    expect(http2(...request, 'host', 'A.test')).toMatchObject({ ok: true, host: 'a.test' });
    expect(http2(...request, 'te', 'trailers')).toMatchObject({ ok: true });
  });

  it.each([
    [['host', 'b.test'], 'bad_host'],
    [['host', 'a.test:444'], 'bad_host'],
    [['connection', 'close'], 'malformed_request'],
    [['keep-alive', '1'], 'malformed_request'],
    [['proxy-connection', 'x'], 'malformed_request'],
    [['transfer-encoding', 'chunked'], 'malformed_request'],
    [['upgrade', 'websocket'], 'malformed_request'],
    [['te', 'gzip'], 'malformed_request'],
    [['te', 'trailers, gzip'], 'malformed_request'],
  ])('refuse %j beside a good request', (extra, code) => {
    expect(http2(...request, ...extra)).toMatchObject({ ok: false, status: 400, code });
  });

  it.each([
    [[':method', 'GET', ':scheme', 'https', ':authority', 'a.test'], 'malformed_request'],
    [[':method', 'GET', ':scheme', 'http', ':authority', 'a.test', ':path', '/'], 'malformed_request'],
    [[':method', 'GET', ':scheme', 'https', ':path', '/'], 'missing_host'],
    [[':method', 'GET', ':scheme', 'https', ':authority', 'u@a.test', ':path', '/'], 'bad_host'],
    [[':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/a#b'], 'bad_target'],
    [[':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', 'http://b.test/'], 'bad_target'],
    [[':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '*'], 'bad_target'],
  ])('refuse %j', (raw, code) => {
    expect(http2(...raw)).toMatchObject({ ok: false, status: 400, code });
  });

  it('know OPTIONS *, and no tunnels', () => {
    const options = [':method', 'OPTIONS', ':scheme', 'https', ':authority', 'a.test', ':path', '*'];
    expect(http2(...options)).toMatchObject({ ok: true, target: '*' });
    expect(http2(':method', 'CONNECT', ':authority', 'a.test:443')).toMatchObject({ status: 501 });
  });
});

describe('parseAuthority', () => {
  it('gives the port apart', () => {
    expect(parseAuthority('[2001:DB8::1]:8443')).toEqual({
      host: '[2001:db8::1]',
      port: 8443,
      text: '[2001:DB8::1]:8443',
    });
  });

  it('is quick with hostile input', () => {
    const before = performance.now();
    for (const text of ['a'.repeat(60_000), 'a.'.repeat(30_000), '-'.repeat(60_000), '['.repeat(60_000)])
      parseAuthority(text);
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});

describe('RequestIds', () => {
  const ids = new RequestIds((address) => address === '10.0.0.1');

  it('are short and never repeat', () => {
    const many = Array.from({ length: 5_000 }, () => ids.next());
    expect(new Set(many).size).toBe(5_000);
    expect(many[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  it('are taken from a trusted peer only, and only when harmless', () => {
    expect(ids.for('10.0.0.1', ['X-Request-ID', 'abc-1'])).toBe('abc-1');
    expect(ids.for('10.0.0.2', ['X-Request-ID', 'abc-1'])).not.toBe('abc-1');
    for (const bad of ['', 'a b', 'a"b', 'a\nb', 'a'.repeat(129), '<x>']) {
      expect(ids.for('10.0.0.1', ['X-Request-ID', bad])).toMatch(/^[0-9a-f]{16}$/);
    }
    expect(ids.for('10.0.0.1', ['X-Request-ID', 'a', 'x-request-id', 'b'])).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('the authorities of a connection', () => {
  it('are each read for what they are, however they take turns', () => {
    const authorities = new Authorities();
    const written = ['a.test', 'A.test', 'a.test:8443', 'b.test', 'a b', 'a.test', '', 'b.test:1'];
    for (const text of [...written, ...written]) {
      const expected = parseAuthority(text);
      expect(authorities.read(text)).toEqual(expected);
      expect(authorities.read(text)).toEqual(expected);
    }
  });
});
