import { afterEach, describe, expect, it } from 'vitest';
import type { ServiceView } from '../../src/seam/fleet-view.ts';
import { awakeView } from '../support/samples/service-view.ts';
import { dataHalfSetUp, type OpenDataHalf } from '../support/set-ups/data-half-set-up.ts';
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

  /** A client that has been answered once, and its next request, on which the kept connection breaks off. */
  async function askTwice(half: OpenDataHalf): Promise<{ first: string; again: string }> {
    const client = await BytePeer.tls(half.client);
    client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    const first = await client.receive('!');
    const cookie = /Set-Cookie: ([^;]+)/i.exec(first)?.[1] ?? '';
    client.received = '';
    client.send(`GET /again HTTP/1.1\r\nHost: app.test\r\nCookie: ${cookie}\r\n\r\n`);
    const again = await client.receive('!');
    client.destroy();
    return { first, again };
  }

  const nameIn = (answer: string): string | undefined => answer.split('\r\n').at(-1);

  async function twoInstances(): Promise<ServiceView['upstreams']> {
    const names = ['one', 'two'];
    const instances = await Promise.all(names.map(instance));
    return names.map((id, at) => ({ id, endpoints: { 3000: instances[at]!.endpoint } }));
  }

  it('stays there when only a kept connection breaks off', async () => {
    const half = await setUp([awakeView({ upstreams: await twoInstances(), sticky: true })]);
    const { first, again } = await askTwice(half);

    expect(nameIn(again)).toBe(nameIn(first));
    expect(again).not.toMatch(/Set-Cookie/i);
    expect(half.link.suspect).toHaveBeenCalledTimes(1);
  });

  it('moves when that turns out to be gone', async () => {
    const both = await twoInstances();
    const half = await setUp([awakeView({ upstreams: both, sticky: true })]);
    half.link.suspect.mockImplementation((_service, gone) => {
      half.link.show(awakeView({ upstreams: both.filter(({ id }) => id !== gone), sticky: true }));
      return Promise.resolve();
    });
    const { first, again } = await askTwice(half);

    expect(nameIn(again)).not.toBe(nameIn(first));
    expect(again).toMatch(/Set-Cookie/i);
  });
});
