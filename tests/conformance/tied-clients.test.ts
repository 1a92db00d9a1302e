import { afterEach, describe, expect, it } from 'vitest';
import { awakeView } from '../support/samples/service-view.ts';
import { dataHalfSetUp } from '../support/set-ups/data-half-set-up.ts';
import { RawUpstream, textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';

describe('a client that is tied to an instance', () => {
  const setUp = dataHalfSetUp();
  const upstreams: RawUpstream[] = [];
  afterEach(async () => {
    for (const upstream of upstreams.splice(0)) await upstream.close();
  });

  /** Answers with its name; a connection on which it has answered once is reset by a request for /again. */
  async function instance(name: string): Promise<RawUpstream> {
    const used = new Set<BytePeer>();
    const upstream = await new RawUpstream((peer, head) => {
      if (used.has(peer) && head.startsWith('GET /again')) peer.socket.resetAndDestroy();
      else peer.send(textResponse(`${name}!`));
      used.add(peer);
    }).start();
    upstreams.push(upstream);
    return upstream;
  }

  it('stays there when only a kept connection breaks off', async () => {
    const names = ['one', 'two'];
    const endpoints = await Promise.all(names.map(instance));
    const views = names.map((id, at) => ({ id, endpoints: { 3000: endpoints[at]!.endpoint } }));
    const half = await setUp([awakeView({ upstreams: views, sticky: true })]);
    const client = await BytePeer.tls(half.client);
    client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    const first = await client.receive('!');
    const cookie = /Set-Cookie: ([^;]+)/i.exec(first)?.[1] ?? '';
    client.received = '';
    client.send(`GET /again HTTP/1.1\r\nHost: app.test\r\nCookie: ${cookie}\r\n\r\n`);
    const again = await client.receive('!');
    client.destroy();

    expect(again.split('\r\n').at(-1)).toBe(first.split('\r\n').at(-1));
    expect(again).not.toMatch(/Set-Cookie/i);
    expect(half.link.suspect).toHaveBeenCalledTimes(1);
  });
});
