import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { ask, h2cSetUp } from '../support/set-ups/h2c-forwarding.ts';
import { until } from '../support/until.ts';
import { rawExchange, valuesIn } from '../support/wire/raw-exchange.ts';

const forwarding = forwardingSetUp();
const h2c = h2cSetUp();

/** RFC 9113 8.2.2 forbids them in HTTP/2, and node:http2 throws where nothing but the end of the process could follow. */
describe('trailers', () => {
  it('go from an upstream to a client over HTTP/2 without those of a connection', async () => {
    const connectionFields = ['Connection', 'HTTP2-Settings', 'Keep-Alive', 'Proxy-Connection', 'TE', 'Upgrade'];
    const lines = connectionFields.map((name) => `${name}: x\r\n`).join('');
    const response = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${lines}X-Sum: 7\r\n\r\n`;
    const { front } = await forwarding((peer) => peer.send(response));
    const stream = front.http2().request({ ':path': '/' });
    const names: string[] = [];
    stream.on('trailers', (fields: Record<string, unknown>) => names.push(...Object.keys(fields)));
    stream.resume();
    await once(stream, 'close');
    expect(names).toEqual(['x-sum']);
  });

  it('go from a client to an upstream over HTTP/2 without those of a connection', async () => {
    const names: string[] = [];
    const { front } = await h2c((stream) => {
      stream.on('trailers', (trailers) => names.push(...Object.keys(trailers)));
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end('ok');
      });
      stream.resume();
    });
    const answer = await rawExchange(
      front.port,
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '1\r\na\r\n0\r\nHTTP2-Settings: x\r\nProxy-Connection: x\r\nTE: gzip\r\nX-Sum: a\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(names).toEqual(['x-sum']);
  });

  const ASKS = 'GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n';
  const CHUNKS = 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n';

  it('that Connection names stay behind, and so does their announcement (RFC 9110 7.6.1)', async () => {
    const head = 'HTTP/1.1 200 OK\r\nConnection: x-a, trailer\r\nTrailer: X-A, X-B\r\n';
    const { front } = await forwarding((peer) => peer.send(head + CHUNKS));
    const answer = await rawExchange(front.port, ASKS);
    expect(valuesIn(answer, 'trailer')).toEqual([]);
    expect(answer).toMatch(/0\r\nX-B: 2\r\n\r\n$/);
  });

  it('of a request that Connection names stay behind (RFC 9110 7.6.1)', async () => {
    const { front, upstream } = await forwarding((peer) => peer.send('HTTP/1.1 204 No Content\r\n\r\n'));
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close, x-a\r\n';
    await rawExchange(front.port, head + CHUNKS);
    await until(() => upstream.peers[0]?.received.includes('X-B: 2') === true);
    expect(upstream.peers[0]?.received).toMatch(/0\r\nX-B: 2\r\n\r\n$/);
  });

  it('are announced in one field, without empty members (RFC 9113 8.2.1)', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTrailer: X-A\r\nTrailer:\r\nTrailer: ,X-B\r\n';
    const { front } = await forwarding((peer) => peer.send(head + CHUNKS));
    const seen = ask(front);
    await until(() => seen.closed);
    expect(seen.head?.['trailer']).toBe('X-A, X-B');
    expect(seen.trailers).toMatchObject({ 'x-a': '1', 'x-b': '2' });
  });

  it('of an answer with a length leave it whole to a client over HTTP/1.1, which has no place for them (RFC 9112 6.2)', async () => {
    const { front } = await h2c((stream) => {
      stream.respond({ ':status': 200, 'content-length': '5', trailer: 'x-a' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'x-a': '1' }));
      stream.end('hello');
    });
    expect(await rawExchange(front.port, ASKS)).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 5\r\n[^]*\r\n\r\nhello$/,
    );
    const seen = ask(front);
    await until(() => seen.closed);
    expect(seen).toMatchObject({ body: 'hello', trailers: { 'x-a': '1' } });
  });
});
