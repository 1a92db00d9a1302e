import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { awakeView } from '../support/samples/service-view.ts';
import { dataHalfSetUp } from '../support/set-ups/data-half-set-up.ts';
import { until, untilPasses } from '../support/until.ts';
import { RawUpstream } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';

const HANDSHAKE =
  'GET /chat?room=1 HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

describe('a WebSocket that is open', () => {
  const setUp = dataHalfSetUp();

  it('is in flight, and is logged as the request that it was, when it closes', async () => {
    const lines: Record<string, unknown>[] = [];
    const sink = new Writable({
      write(line: Buffer, _encoding, done) {
        lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
        done();
      },
    });
    const upstream = await new RawUpstream((peer) => {
      peer.socket.once('end', () => peer.destroy());
      peer.send(SWITCH);
    }).start();
    onTestFinished(() => upstream.close());
    const view = awakeView({ upstreams: [{ id: 'web-1', endpoints: { 3000: upstream.endpoint } }] });
    const half = await setUp([view], { accessLog: 'all', log: pino(sink) });

    const client = await BytePeer.tls(half.client);
    client.send(HANDSHAKE);
    await client.receive('\r\n\r\n');
    await untilPasses(() => expect(half.link.inFlight.get('web-1')).toBe(1));
    expect(lines).toEqual([]);
    client.destroy();
    await until(() => lines.length === 1);
    await untilPasses(() => expect(half.link.inFlight.get('web-1')).toBe(0));
    expect(lines[0]).toMatchObject({ method: 'GET', path: '/chat', status: 101, service: 'web', instance: 'web-1' });
    expect(lines[0]?.['durationMs']).toBeGreaterThan(0);
  });
});
