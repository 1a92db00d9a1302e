import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerHttp2Stream as Stream } from 'node:http2';
import { constants } from 'node:http2';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { defaultForwardLimits } from '../../src/proxy/forward/forward-limits.ts';
import { ForwardingFront } from '../support/set-ups/forwarding-front.ts';
import { ask, h2cSetUp } from '../support/set-ups/h2c-forwarding.ts';
import { rawExchange } from '../support/wire/raw-exchange.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const setUp = h2cSetUp();
const limits = defaultForwardLimits.http2;
function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(16_384);
}

const get = (fields = '') => `GET /a?b=c HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`;

describe('a request to an upstream that speaks HTTP/2', () => {
  it('arrives with our fields, without those of the connection (RFC 9113 8.2.2, 8.3.1)', async () => {
    const { upstream, front } = await setUp((stream) => {
      stream.respond({ ':status': 200, 'x-a': ['1', '2'] });
      stream.end('well');
    });
    const answer = await rawExchange(
      front.port,
      'GET /a?b=c HTTP/1.1\r\nHost: a\r\nKeep-Alive: timeout=9\r\nX-Forwarded-For: 6.6.6.6\r\nX-B: 1\r\n' +
        'TE: trailers, gzip\r\nX-Named: 1\r\nConnection: close, x-named\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/x-a: 1\r\nx-a: 2\r\n[^]*Via: 2\.0 reveille\r\n[^]*well/);
    const head = upstream.heads[0]!;
    expect(head).toMatchObject({
      ...{ ':method': 'GET', ':path': '/a?b=c', ':scheme': 'http', ':authority': 'app.test:8443' },
      ...{ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https', via: '1.1 reveille', te: 'trailers' },
      ...{ 'x-b': '1', 'x-request-id': 'request-1' },
    });
    for (const name of ['connection', 'keep-alive', 'x-named', 'host']) expect(head).not.toHaveProperty(name);
  });

  it.each([
    ['9007199254740993', '502 Bad Gateway', '21'],
    ['9223372036854775807', '502 Bad Gateway', '21'],
    ['000007', '200 OK', '7'],
  ])('never gets a length changed: %s is answered by %s', async (length, status, sent) => {
    const { front } = await setUp((stream) => {
      stream.respond({ ':status': 200, 'content-length': length }, { endStream: true });
    });
    const answer = await rawExchange(front.port, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(`HTTP/1.1 ${status}\r\n`);
    expect(answer).toMatch(`Content-Length: ${sent}\r\n`);
  });

  it.each(['h1', 'h2'])('carries content and trailers both ways (%s)', async (version) => {
    const got: { body: string; trailers?: unknown } = { body: '' };
    const { front } = await setUp((stream) => {
      stream.on('data', (chunk: Buffer) => (got.body += chunk.toString()));
      stream.on('trailers', (trailers) => (got.trailers = trailers['x-sum']));
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-check': 'b', 'set-cookie': 'no' }));
        stream.end('answer');
      });
    });
    if (version === 'h1') {
      const answer = await rawExchange(
        front.port,
        'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '5\r\nhello\r\n0\r\nX-Sum: a\r\n\r\n',
      );
      expect(answer).toMatch(/6\r\nanswer\r\n0\r\nx-check: b\r\n\r\n$/);
    } else {
      const seen = ask(front, { ':method': 'POST', te: 'trailers' }, false);
      seen.stream.on('wantTrailers', () => seen.stream.sendTrailers({ 'x-sum': 'a' }));
      seen.stream.end('hello');
      // Without waitForTrailers a client of Node sends none.
      await until(() => seen.closed);
      expect(seen).toMatchObject({ body: 'answer', trailers: { 'x-check': 'b' }, ended: true });
      expect(seen.trailers).not.toHaveProperty('set-cookie');
    }
    expect(got.body).toBe('hello');
    if (version === 'h1') expect(got.trailers).toBe('a');
  });

  it('passes interim responses on, and one 100 for Expect (RFC 9110 10.1.1)', async () => {
    const { upstream, front } = await setUp((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.additionalHeaders({ ':status': 100 });
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end('ok');
      });
      stream.resume();
    });
    const client = await BytePeer.tcp(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    await client.receive('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hi');
    const answer = await client.receive('\r\n\r\n2\r\nok');
    expect(answer).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/,
    );
    expect(answer.match(/100 Continue/g)).toHaveLength(1);
    expect(upstream.heads[0]).toMatchObject({ expect: '100-continue', 'content-length': '2' });
    client.destroy();
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('has an answer without content to %s with %i', async (method, status) => {
    const { front } = await setUp((stream) => stream.respond({ ':status': status, etag: '"a"' }, { endStream: true }));
    const text = `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    expect(await rawExchange(front.port, text)).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*etag: "a"[^]*\r\n\r\n$`));
    const seen = ask(front, { ':method': method });
    await until(() => seen.closed);
    expect(seen).toMatchObject({ headEnded: true, ended: true, head: { ':status': status } });
  });

  it('loses no byte of a large transfer both ways', async () => {
    const size = 8 * 1_048_576;
    const chunk = Buffer.alloc(65_536, 'abcdefghij');
    const expected = createHash('sha256');
    for (let sent = 0; sent < size; sent += chunk.length) expected.update(chunk);
    const { front } = await setUp((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const stream = front.http2().request({ ':method': 'POST', ':path': '/', 'content-length': String(size) });
    const hash = createHash('sha256');
    stream.on('data', (bytes: Buffer) => hash.update(bytes));
    for (let sent = 0; sent < size; sent += chunk.length) if (!stream.write(chunk)) await once(stream, 'drain');
    stream.end();
    await once(stream, 'end');
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
  });
});

describe('one HTTP/2 connection to an upstream', () => {
  it('is shared, as far as the upstream allows; then another is made, and the rest waits in line', async () => {
    const { upstream, front } = await setUp(() => undefined, {
      settings: { maxConcurrentStreams: 2 },
      limits: { http2: { ...limits, maxSessionsPerUpstream: 2 } },
    });
    const seen = Array.from({ length: 6 }, (_, at) => ask(front, { ':path': `/${at}` }));
    await until(() => upstream.streams.length === 4);
    expect(upstream.sessions).toHaveLength(2);
    for (const stream of upstream.streams) stream.respond({ ':status': 204 }, { endStream: true });
    await until(() => upstream.streams.length === 6);
    for (const stream of upstream.streams.slice(4)) stream.respond({ ':status': 204 }, { endStream: true });
    await until(() => seen.every(({ closed }) => closed));
    expect(seen.map(({ head }) => head?.[':status'])).toEqual(Array(6).fill(204));
    expect(upstream.sessions).toHaveLength(2);
    expect(front.forwarder.inFlight).toBe(0);
  });

  it('gives those who wait in vain a connect_timeout, and forgets them', async () => {
    const { upstream, front } = await setUp(() => undefined, {
      settings: { maxConcurrentStreams: 1 },
      limits: { connectTimeoutMs: 100, http2: { ...limits, maxSessionsPerUpstream: 1 } },
    });
    const first = ask(front);
    await until(() => upstream.streams.length === 1);
    const second = ask(front);
    await until(() => second.closed);
    expect(second.head?.[':status']).toBe(504);
    expect(front.errors[0]!.code).toBe('connect_timeout');
    upstream.streams[0]!.respond({ ':status': 204 }, { endStream: true });
    await until(() => first.closed);
    expect(upstream.streams).toHaveLength(1);
  });

  it('is closed when it has been idle for its time, and by a draining upstream (GOAWAY, RFC 9113 6.8)', async () => {
    const { upstream, front } = await setUp(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('ok');
      },
      { limits: { http2: { ...limits, idleTimeoutMs: 50 } } },
    );
    expect(await rawExchange(front.port, get())).toContain('200 OK');
    await until(() => upstream.connections.length === 0 && front.forwarder.connections.open === 0);
    expect(await rawExchange(front.port, get())).toContain('200 OK');
    for (const session of upstream.sessions) session.close();
    expect(await rawExchange(front.port, get())).toContain('200 OK');
    expect(front.errors).toEqual([]);
  });

  it('lets its streams finish after GOAWAY, while new requests go to another', async () => {
    const { upstream, front } = await setUp(() => undefined);
    const first = ask(front);
    await until(() => upstream.streams.length === 1);
    upstream.sessions[0]!.goaway(constants.NGHTTP2_NO_ERROR);
    await until(() => front.forwarder.connections.open === 1);
    const second = ask(front);
    await until(() => upstream.sessions.length === 2 && upstream.streams.length === 2);
    for (const stream of upstream.streams) {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    }
    await until(() => first.closed && second.closed);
    expect([first.body, second.body]).toEqual(['ok', 'ok']);
  });

  it('holds up no stream for another one whose client does not read', async () => {
    const { upstream, front } = await setUp((stream, _headers, index) => {
      stream.respond({ ':status': 200 });
      if (index > 0) stream.end('quick');
      else
        Readable.from(endless())
          .on('error', () => undefined)
          .pipe(stream);
    });
    const slow = await BytePeer.tcp(front.port);
    slow.send(get());
    await slow.receive('200 OK');
    slow.socket.pause();
    await until(() => upstream.streams[0]!.writableNeedDrain);
    for (let at = 0; at < 5; at += 1) expect(await rawExchange(front.port, get())).toContain('quick');
    expect(upstream.sessions).toHaveLength(1);
    slow.destroy();
    await until(() => upstream.streams[0]!.closed);
  });

  it('is given up when a request got no sign of life and a PING gets none either', async () => {
    const { upstream } = await setUp(() => undefined);
    const relay = new TcpRelay(upstream.endpoint.port);
    await relay.start();
    const front = new ForwardingFront(
      { host: '127.0.0.1', port: relay.port },
      { protocol: 'h2c', limits: { responseTimeoutMs: 200, http2: { ...limits, doubtAfterMs: 0, pingTimeoutMs: 50 } } },
    );
    await front.start();
    const seen = ask(front);
    await until(() => upstream.streams.length === 1);
    relay.freeze();
    await until(() => seen.closed);
    expect(front.errors[0]!.code).toBe('upstream_timeout');
    await until(() => front.forwarder.connections.open === 0);
    await front.close();
    await relay.close();
  });
});

describe('aborts', () => {
  it.each(['h1', 'h2'])('a client that leaves cancels its stream, and no other (%s)', async (version) => {
    const { upstream, front } = await setUp((stream) => stream.respond({ ':status': 200 }));
    const other = ask(front);
    await until(() => other.head !== undefined);
    if (version === 'h1') {
      const client = await BytePeer.tcp(front.port);
      client.send(get());
      await client.receive('200 OK');
      client.destroy();
    } else {
      const seen = ask(front);
      await until(() => seen.head !== undefined);
      seen.stream.close(constants.NGHTTP2_CANCEL);
    }
    await until(() => upstream.streams[1]?.closed);
    expect(upstream.streams[1]!.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(upstream.streams[0]!.closed).toBe(false);
    await until(() => front.results[0]?.outcome === 'abandoned');
  });

  it.each([
    ['with an error', (stream: Stream) => stream.destroy(new Error('broken'))],
    ['without one, which looks like an end', (stream: Stream) => stream.destroy()],
    ['with its whole connection', (stream: Stream) => stream.session?.destroy()],
  ])('a stream that the upstream resets %s is no clean end for the client', async (_how, reset) => {
    const { upstream, front } = await setUp((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
    });
    const seen = ask(front);
    const raw = await BytePeer.tcp(front.port);
    raw.send(get());
    await raw.receive('half');
    await until(() => seen.body === 'half');
    for (const stream of upstream.streams) reset(stream);
    await until(() => seen.closed);
    expect(seen.stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    await raw.untilClosed();
    expect(raw.received).not.toContain('0\r\n\r\n');
    await until(() => front.results.length === 2);
    expect(front.results.map(({ outcome }) => outcome)).toEqual(['upstream_aborted', 'upstream_aborted']);
  });

  it('an answer that comes before the request is complete stops the rest of it', async () => {
    const { upstream, front } = await setUp((stream) => {
      stream.respond({ ':status': 413 });
      stream.end('enough');
    });
    const seen = ask(front, { ':method': 'POST' }, false);
    seen.stream.write('a');
    await until(() => seen.ended && seen.closed);
    expect(seen).toMatchObject({ body: 'enough', head: { ':status': 413 } });
    await until(() => upstream.streams[0]!.closed);
    expect(front.results[0]!.outcome).toBe('completed');
  });
});
