import { constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { until } from '../support/until.ts';

const setUp = forwardingSetUp();

describe('an answer that overtakes the upload, over HTTP/2', () => {
  it('trailers come whole when the answer overtakes the upload (RFC 9113 8.1)', async () => {
    const { front } = await setUp((peer) => {
      peer.send('HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX-Sum: 7\r\n\r\n');
    });
    const stream = front.http2().request({ ':method': 'POST', ':path': '/' }, { endStream: false });
    stream.on('error', () => undefined);
    let trailers: Record<string, unknown> = {};
    stream.on('trailers', (fields: Record<string, unknown>) => (trailers = fields));
    stream.write('the beginning of an upload');
    stream.resume();
    await until(() => stream.closed);
    expect(trailers['x-sum']).toBe('7');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('stops the upload behind a HEAD as well (RFC 9110 9.3.2)', async () => {
    const { front } = await setUp((peer) => peer.send('HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n'));
    const stream = front.http2().request({ ':method': 'HEAD', ':path': '/' }, { endStream: false });
    stream.on('error', () => undefined);
    stream.write('the beginning of an upload');
    stream.resume();
    await until(() => stream.closed);
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });
});
