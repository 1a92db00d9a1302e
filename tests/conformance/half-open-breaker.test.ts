import { request } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { dataHalfSetUp, type OpenDataHalf } from '../support/set-ups/data-half-set-up.ts';
import { awakeView } from '../support/samples/service-view.ts';
import { RawUpstream, textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const HANDSHAKE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

function statusOf({ client }: OpenDataHalf): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const get = request({ ...client, headers: { host: 'app.test' }, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    get.on('error', reject).end();
  });
}

describe('the one request that probes an instance after failures', () => {
  const setUp = dataHalfSetUp();
  const open: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  it.each([
    ['a WebSocket', '/socket', HANDSHAKE, '101'],
    ['an event stream', '/events', '', '200'],
  ])('lets the others through as soon as it is answered, when it is %s', async (_what, path, fields, status) => {
    let failing = true;
    const upstream = await new RawUpstream((peer, head) => {
      peer.socket.once('end', () => peer.destroy());
      if (failing) peer.destroy();
      else if (head.includes('GET /socket')) peer.send(SWITCH);
      else if (head.includes('GET /events')) peer.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
      else peer.send(textResponse('well'));
    }).start();
    const upstreams = [{ id: 'web-1', endpoints: { 3000: upstream.endpoint } }];
    const half = await setUp([awakeView({ upstreams, breaker: { failures: 2, openForMs: 50 } })]);
    open.push(() => upstream.close());
    for (const expected of [502, 502]) expect(await statusOf(half)).toBe(expected);
    expect(half.link.reportBreaker).toHaveBeenLastCalledWith({ service: 'web', instanceId: 'web-1', open: true });

    failing = false;
    const stream = await until(async () => {
      const client = await BytePeer.tls(half.client);
      open.push(() => client.destroy());
      client.send(`GET ${path} HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n`);
      return (await client.receive('\r\n\r\n')).startsWith(`HTTP/1.1 ${status}`) && client;
    });
    expect(await statusOf(half)).toBe(200);
    expect(half.link.reportBreaker).toHaveBeenLastCalledWith({ service: 'web', instanceId: 'web-1', open: false });
    await until(() => half.link.inFlight.get('web-1') === 1);
    stream.destroy();
    await until(() => half.link.inFlight.get('web-1') === 0);
  });
});
