import { describe, expect, it } from 'vitest';
import type { FrontOptions } from '../support/set-ups/forwarding-front.ts';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { bodyOf, rawExchange, valuesIn } from '../support/wire/raw-exchange.ts';
import type { UpstreamScript } from '../support/upstreams/upstream.ts';
import { textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const setUp = forwardingSetUp();

const ok: UpstreamScript = (peer) => peer.send(textResponse('ok'));

/** The head that the upstream gets for these header lines of a client. */
async function headFor(lines: string, options?: FrontOptions): Promise<string> {
  const { upstream, front } = await setUp(ok, options);
  await rawExchange(front.port, `GET /a?b=c HTTP/1.1\r\nHost: app.test\r\n${lines}\r\n`, 'ok');
  return upstream.heads[0]!;
}

describe('the head of a forwarded request', () => {
  it('keeps names, case, order and duplicates of end-to-end fields', async () => {
    const head = await headFor('X-b: 2\r\nx-A: 1\r\nX-b: 3\r\nAccept: */*\r\n');
    expect(head.startsWith('GET /a?b=c HTTP/1.1\r\nHost: app.test:8443\r\n')).toBe(true);
    expect(head).toContain('X-b: 2\r\nx-A: 1\r\nX-b: 3\r\nAccept: */*\r\n');
  });

  it('has one Host, Via and X-Request-Id of ours (RFC 9110 7.2, 7.6.3)', async () => {
    const head = await headFor('Via: 1.1 edge\r\nX-Request-Id: forged\r\n');
    expect(valuesIn(head, 'host')).toEqual(['app.test:8443']);
    expect(valuesIn(head, 'via')).toEqual(['1.1 edge', '1.1 reveille']);
    expect(valuesIn(head, 'x-request-id')).toEqual(['request-1']);
  });

  it('loses what Connection nominates but not what the upstream relies on (RFC 9110 7.6.1)', async () => {
    const head = await headFor(
      'Connection: x-forwarded-for, host, authorization, cookie, x-a, Content-Type, close\r\nX-A: 1\r\nX-B: 2\r\n' +
        'Authorization: Basic x\r\nCookie: s=1\r\nContent-Type: text/x\r\n',
    );
    expect(valuesIn(head, 'x-a')).toEqual([]);
    expect(valuesIn(head, 'x-b')).toEqual(['2']);
    expect(valuesIn(head, 'authorization')).toEqual(['Basic x']);
    expect(valuesIn(head, 'cookie')).toEqual(['s=1']);
    expect(valuesIn(head, 'content-type')).toEqual(['text/x']);
    expect(valuesIn(head, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesIn(head, 'connection')).toEqual([]);
  });

  it('loses the fixed hop-by-hop fields and Proxy (CVE-2016-5385)', async () => {
    const head = await headFor(
      'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\n' +
        'TE: gzip\r\nHTTP2-Settings: abc\r\nProxy: http://evil/\r\nTrailer: x\r\n',
    );
    for (const name of [
      'connection',
      'keep-alive',
      'proxy-connection',
      'proxy-authorization',
      'te',
      'http2-settings',
      'proxy',
      'trailer',
    ]) {
      expect(valuesIn(head, name), name).toEqual([]);
    }
  });

  it('asks for trailers only when the client does (RFC 9110 10.1.4)', async () => {
    const head = await headFor('TE: gzip, trailers\r\nConnection: TE\r\n');
    expect(valuesIn(head, 'te')).toEqual(['trailers']);
    expect(valuesIn(head, 'connection')).toEqual(['TE']);
  });

  const forged =
    'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n' +
    'Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n';

  it('says where the request came from, whatever an untrusted client says', async () => {
    const head = await headFor(forged);
    expect(valuesIn(head, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(valuesIn(head, 'x-forwarded-proto')).toEqual(['https']);
    expect(valuesIn(head, 'x-forwarded-host')).toEqual(['app.test:8443']);
    expect(valuesIn(head, 'x-forwarded-port')).toEqual(['8443']);
    expect(valuesIn(head, 'forwarded')).toEqual(['for=127.0.0.1;host="app.test:8443";proto=https']);
    expect(valuesIn(head, 'x-real-ip')).toEqual(['127.0.0.1']);
    expect(head).not.toContain('6.6.6.6');
  });

  it('adds to what a trusted peer says (RFC 7239)', async () => {
    const head = await headFor(forged, { trusted: (address) => address === '127.0.0.1' });
    expect(valuesIn(head, 'x-forwarded-for')).toEqual(['6.6.6.6, 127.0.0.1']);
    expect(valuesIn(head, 'x-forwarded-proto')).toEqual(['gopher']);
    expect(valuesIn(head, 'forwarded')).toEqual(['for=6.6.6.6, for=127.0.0.1;host="app.test:8443";proto=https']);
    expect(valuesIn(head, 'x-real-ip')).toEqual(['6.6.6.6']);
  });

  it('joins the crumbs of an HTTP/2 cookie (RFC 9113 8.2.3)', async () => {
    const { upstream, front } = await setUp(ok);
    const stream = front.http2().request({ ':path': '/', cookie: ['a=1', 'b=2'] as unknown as string, 'x-a': '1' });
    stream.resume();
    await until(() => upstream.heads.length === 1);
    expect(valuesIn(upstream.heads[0]!, 'cookie')).toEqual(['a=1; b=2']);
    expect(valuesIn(upstream.heads[0]!, 'via')).toEqual(['2.0 reveille']);
    expect(upstream.heads[0]).not.toContain(':path');
  });
});

describe('the content of a forwarded request', () => {
  /** Answers when the whole of what the test expects has come. */
  const whenComplete =
    (end: string | RegExp): UpstreamScript =>
    (peer) =>
      void peer.receive(end).then(() => peer.send(textResponse('ok')));

  it('goes out with the length that the client sent', async () => {
    const { upstream, front } = await setUp(whenComplete('hello'));
    await rawExchange(front.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', 'ok');
    expect(valuesIn(upstream.heads[0]!, 'content-length')).toEqual(['5']);
    expect(valuesIn(upstream.heads[0]!, 'transfer-encoding')).toEqual([]);
    expect(bodyOf(upstream.peers[0]!.received)).toBe('hello');
  });

  it.each(['DELETE', 'OPTIONS', 'POST', 'GET'])('frames a chunked %s truly (CVE-2026-29057)', async (method) => {
    const { upstream, front } = await setUp(whenComplete('0\r\n\r\n'));
    const hidden = 'GET /secret HTTP/1.1\r\nHost: a\r\n\r\n';
    const size = hidden.length.toString(16);
    const request = `${method} /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${hidden}\r\n0\r\n\r\n`;
    await rawExchange(front.port, request, 'ok');
    expect(valuesIn(upstream.heads[0]!, 'transfer-encoding')).toEqual(['chunked']);
    expect(valuesIn(upstream.heads[0]!, 'content-length')).toEqual([]);
    expect(bodyOf(upstream.peers[0]!.received)).toBe(`${size}\r\n${hidden}\r\n0\r\n\r\n`);
  });

  it('is announced as none for POST, and not mentioned for GET (RFC 9110 8.6)', async () => {
    const { upstream, front } = await setUp(ok);
    await rawExchange(front.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 'ok');
    await rawExchange(front.port, 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 'ok');
    expect(valuesIn(upstream.heads[0]!, 'content-length')).toEqual(['0']);
    expect(valuesIn(upstream.heads[1]!, 'content-length')).toEqual([]);
  });

  it('carries trailers when it is chunked (RFC 9110 6.5)', async () => {
    const { upstream, front } = await setUp(whenComplete(/0\r\n(.+\r\n)*\r\n$/));
    await rawExchange(
      front.port,
      'POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\nHost: evil\r\nAuthorization: x\r\n\r\n',
      'ok',
    );
    expect(valuesIn(upstream.heads[0]!, 'trailer')).toEqual(['X-Sum']);
    expect(bodyOf(upstream.peers[0]!.received)).toBe('1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n');
  });

  it('carries trailers from HTTP/2', async () => {
    const { upstream, front } = await setUp(whenComplete('x-sum: 7\r\n\r\n'));
    const stream = front.http2().request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.resume();
    stream.end('a');
    await until(() => front.results.length === 1);
    expect(bodyOf(upstream.peers[0]!.received)).toBe('1\r\na\r\n0\r\nx-sum: 7\r\n\r\n');
  });

  it('is none when an HTTP/2 request ends behind its head with an empty frame', async () => {
    const { upstream, front } = await setUp(whenComplete('0\r\n\r\n'));
    const stream = front.http2().request({ ':method': 'POST', ':path': '/' }, { endStream: false });
    stream.resume();
    stream.end();
    await until(() => front.results.length === 1);
    expect(bodyOf(upstream.peers[0]!.received)).toBe('0\r\n\r\n');
  });

  it('does not crash on a Trailer field without content', async () => {
    const { front } = await setUp(ok);
    expect(await rawExchange(front.port, 'GET / HTTP/1.1\r\nHost: a\r\nTrailer: a\r\n\r\n', 'ok')).toContain('200 OK');
  });

  it('ends the upstream request when the client sends less than it announced', async () => {
    const { upstream, front } = await setUp(() => undefined);
    const client = await BytePeer.tcp(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhell');
    await until(() => upstream.peers[0]?.received.endsWith('hell'));
    client.destroy();
    await upstream.peers[0]!.untilClosed();
    await until(() => front.results[0]?.outcome === 'abandoned');
  });

  it('above the limit is refused before and while it is read', async () => {
    const { upstream, front } = await setUp(() => undefined, { limits: { maxBodyBytes: 10 } });
    expect(await rawExchange(front.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n')).toContain(
      ' 413 ',
    );
    expect(upstream.peers).toHaveLength(0);
    const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n';
    expect(await rawExchange(front.port, chunked)).toContain(' 413 ');
    await until(() => upstream.open === 0);
  });

  it('that does not come is answered 408 and the connection closed', async () => {
    const { upstream, front } = await setUp(() => undefined, { limits: { bodyTimeoutMs: 80 } });
    const answer = await rawExchange(front.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\na');
    expect(answer).toContain(' 408 ');
    expect(valuesIn(answer, 'connection')).toEqual(['close']);
    await until(() => upstream.open === 0);
  });

  it('may take longer than the upstream has for its answer', async () => {
    const { front } = await setUp(whenComplete('0\r\n\r\n'), { limits: { responseTimeoutMs: 60, minBodyBytes: 1 } });
    const client = await BytePeer.tcp(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let count = 0; count < 10; count += 1) {
      client.send('1\r\na\r\n');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.send('0\r\n\r\n');
    expect(await client.receive('ok')).toContain(' 200 OK');
    client.destroy();
  });

  it('that drips is answered 408 too', async () => {
    const { front } = await setUp(() => undefined, { limits: { bodyTimeoutMs: 100 } });
    const client = await BytePeer.tcp(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
    const drip = setInterval(() => client.send('a'), 20);
    try {
      expect(await client.receive(' 408 ')).toContain('body_timeout');
    } finally {
      clearInterval(drip);
      client.destroy();
    }
  });
});

describe('Expect: 100-continue (RFC 9110 10.1.1)', () => {
  const request = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n';

  it('holds the content until the upstream says 100, which the client is told once', async () => {
    const { upstream, front } = await setUp((peer) => {
      peer.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n');
      void peer.receive('hello').then(() => peer.send(textResponse('ok')));
    });
    const client = await BytePeer.tcp(front.port);
    client.send(request);
    await client.receive('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    const answer = await client.receive('ok');
    expect(answer.match(/ 100 /g)).toHaveLength(1);
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(valuesIn(upstream.heads[0]!, 'expect')).toEqual(['100-continue']);
    client.destroy();
  });

  it.each(['417 Expectation Failed', '401 Unauthorized'])('never sends the content after %s', async (status) => {
    const { upstream, front } = await setUp((peer) => peer.send(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`));
    const answer = await rawExchange(front.port, `${request}hello`);
    expect(answer.startsWith(`HTTP/1.1 ${status}\r\n`)).toBe(true);
    expect(answer).not.toContain(' 100 ');
    expect(valuesIn(answer, 'connection')).toEqual(['close']);
    await upstream.peers[0]!.untilClosed();
    expect(upstream.peers[0]!.received).not.toContain('hello');
  });

  it('asks for the content itself when the upstream says nothing', async () => {
    const { front } = await setUp((peer) => void peer.receive('hello').then(() => peer.send(textResponse('ok'))), {
      limits: { continueTimeoutMs: 30 },
    });
    const client = await BytePeer.tcp(front.port);
    client.send(request);
    await client.receive(' 100 ');
    client.send('hello');
    expect(await client.receive('ok')).toContain(' 200 ');
    client.destroy();
  });

  it('works over HTTP/2', async () => {
    const { front } = await setUp((peer) => {
      peer.send('HTTP/1.1 100 Continue\r\n\r\n');
      void peer.receive(/5\r\nhello\r\n0\r\n\r\n/).then(() => peer.send(textResponse('ok')));
    });
    const stream = front.http2().request({ ':method': 'POST', ':path': '/', expect: '100-continue' });
    stream.once('continue', () => stream.end('hello'));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('ok');
  });
});
