import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { h2cSetUp } from '../support/set-ups/h2c-forwarding.ts';
import { rawExchange } from '../support/wire/raw-exchange.ts';

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
});
