import { constants } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { defaultForwardLimits } from '../../src/proxy/forward/forward-limits.ts';
import { ForwardingFront } from '../support/set-ups/forwarding-front.ts';
import { ask, h2cSetUp } from '../support/set-ups/h2c-forwarding.ts';
import { rawExchange } from '../support/wire/raw-exchange.ts';
import { until } from '../support/until.ts';

const setUp = h2cSetUp();
const get = 'GET /a?b=c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

it('a part of an upload never looks like the whole when its client leaves', async () => {
  let content = '';
  let ended = false;
  const { upstream, front } = await setUp((stream) => {
    stream.on('data', (chunk: Buffer) => (content += chunk.toString()));
    stream.on('end', () => (ended ||= !stream.aborted));
  });
  const client = ask(front, { ':method': 'POST' }, false);
  client.stream.write('a part');
  await until(() => content === 'a part');
  client.stream.destroy(new Error('The client leaves.'));
  await until(() => upstream.streams[0]!.destroyed);
  expect(upstream.streams[0]!.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
  expect(ended).toBe(false);
});

describe('retries', () => {
  it('send a request again that was refused, whatever its method (RFC 9113 8.7)', async () => {
    const { upstream, front } = await setUp((stream, _headers, index) => {
      if (index === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else {
        stream.respond({ ':status': 200 });
        stream.end('second');
      }
    });
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    expect(await rawExchange(front.port, post)).toContain('second');
    expect(upstream.heads).toHaveLength(2);
  });

  it('are sent on a connection that is there when there may be no further one, and hold up nobody', async () => {
    const { upstream, front } = await setUp(
      (stream, _headers, index) => {
        if (index === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else stream.respond({ ':status': 204 }, { endStream: true });
      },
      { limits: { connectTimeoutMs: 60_000, http2: { ...defaultForwardLimits.http2, maxSessionsPerUpstream: 1 } } },
    );
    const answers = [ask(front), ask(front)];
    await until(() => answers.every(({ closed }) => closed));
    expect(answers.map(({ head }) => head?.[':status'])).toEqual([204, 204]);
    expect(upstream.sessions).toHaveLength(1);
  });

  it.each([
    ['GET', '', 2],
    ['POST', 'Content-Length: 2\r\n', 1],
  ])('send %s again only where nothing can be served twice', async (method, fields, times) => {
    const { upstream, front } = await setUp((stream, _headers, index) => {
      if (index === 1) stream.session!.destroy();
      else {
        stream.respond({ ':status': 200 });
        stream.end('ok');
      }
    });
    expect(await rawExchange(front.port, get)).toContain('200 OK');
    const text = `${method} / HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n${fields === '' ? '' : 'ab'}`;
    expect(await rawExchange(front.port, text)).toContain(times === 2 ? '200 OK' : 'upstream_reset');
    expect(upstream.heads).toHaveLength(1 + times);
  });

  it('never send a request again of which the upstream has seen content', async () => {
    const { upstream, front } = await setUp((stream) => {
      stream.once('data', () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    });
    const seen = ask(front, { ':method': 'PUT' }, false);
    seen.stream.write('content');
    await until(() => front.errors.length === 1);
    expect(front.errors[0]).toMatchObject({ code: 'upstream_reset', replayable: false });
    expect(upstream.heads).toHaveLength(1);
  });
});

describe('an upstream that is not what it should be', () => {
  it('is told from one that speaks HTTP/2', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const front = await new ForwardingFront(endpoint, { protocol: 'h2c' }).start();
    expect(await rawExchange(front.port, get)).toContain('upstream_bad_response');
    await front.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is refused when nobody listens', async () => {
    const { upstream, front } = await setUp(() => undefined);
    await upstream.close();
    const answer = await rawExchange(front.port, get);
    expect(answer).toContain('502');
    expect(front.errors[0]).toMatchObject({ code: 'upstream_refused', replayable: true });
  });

  it('is cut off when its head is too large, or has too many interim responses', async () => {
    const { upstream, front } = await setUp(
      (stream, _headers, index) => {
        if (index === 0) stream.respond({ ':status': 200, 'x-large': 'a'.repeat(20_000) });
        else for (let at = 0; at < 5; at += 1) stream.additionalHeaders({ ':status': 103, link: `</${at}>` });
      },
      { limits: { maxResponseHeaderBytes: 8_192, maxInterimResponses: 3 } },
    );
    expect(await rawExchange(front.port, get)).toContain('502');
    expect(await rawExchange(front.port, get)).toContain('upstream_bad_response');
    await until(() => upstream.streams.every(({ closed }) => closed));
  });

  it('has to answer in time', async () => {
    const { upstream, front } = await setUp(() => undefined, { limits: { responseTimeoutMs: 50 } });
    expect(await rawExchange(front.port, get)).toContain('504');
    await until(() => upstream.streams[0]!.closed);
    expect(front.forwarder.connections.open).toBe(1);
  });
});
