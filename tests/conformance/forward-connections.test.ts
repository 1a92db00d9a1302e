import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { rawExchange } from '../support/wire/raw-exchange.ts';
import type { UpstreamScript } from '../support/upstreams/upstream.ts';
import { textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const setUp = forwardingSetUp();
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const path = (head: string) => /^\S+ (\S+)/.exec(head)![1]!;
const echo: UpstreamScript = (peer, head) => peer.send(textResponse(`you asked ${path(head)}.`));

/** Keeps this process, and so the loop of the proxy, from seeing anything. */
function blockTheLoop(forMs: number): void {
  const end = performance.now() + forMs;
  while (performance.now() < end);
}

async function ask(client: BytePeer, target: string): Promise<string> {
  const from = client.received.length;
  client.send(get(target));
  await until(() => /\.$/.test(client.received.slice(from)), { interval: 1 });
  return client.received.slice(from);
}

describe('the connections to an upstream', () => {
  it('are used again', async () => {
    const { upstream, front } = await setUp(echo);
    const client = await BytePeer.tcp(front.port);
    for (const target of ['/1', '/2', '/3']) expect(await ask(client, target)).toContain(`you asked ${target}.`);
    expect(upstream.peers).toHaveLength(1);
    expect(front.forwarder.connections).toEqual({ open: 1, idle: 1 });
    client.destroy();
  });

  it('are as many as there are requests at a time', async () => {
    const waiting: BytePeer[] = [];
    const { upstream, front } = await setUp((peer) => {
      waiting.push(peer);
      if (waiting.length === 3) for (const each of waiting) each.send(textResponse('done.'));
    });
    await Promise.all([1, 2, 3].map(() => rawExchange(front.port, get('/'), 'done.')));
    expect(upstream.peers).toHaveLength(3);
    expect(front.forwarder.connections.idle).toBe(3);
  });

  it.each([
    ['says Connection: close', textResponse('x.', 'Connection: close\r\n')],
    ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nx.'],
    ['keeps it for a second only', textResponse('x.', 'Keep-Alive: timeout=1\r\n')],
    ['sends more than its response', `${textResponse('x.')}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`],
    ['gives a 204 a length', 'HTTP/1.1 204 x.\r\nContent-Length: 5\r\n\r\n'],
  ])('are not used again when the upstream %s', async (_what, response) => {
    const { upstream, front } = await setUp((peer) => peer.send(response));
    for (const count of [1, 2]) {
      const answer = await rawExchange(front.port, get('/'), 'x.');
      expect(answer).not.toContain('poison');
      await until(() => upstream.open === 0);
      expect(upstream.peers).toHaveLength(count);
    }
  });

  it('are closed after the idle time, before the upstream does', async () => {
    const { upstream, front } = await setUp(echo, { limits: { idleTimeoutMs: 60 } });
    await rawExchange(front.port, get('/'), '.');
    expect(front.forwarder.connections.idle).toBe(1);
    await until(() => upstream.open === 0);
    expect(front.forwarder.connections).toEqual({ open: 0, idle: 0 });
  });

  it('are kept idle up to a number', async () => {
    const waiting: BytePeer[] = [];
    const { front } = await setUp(
      (peer) => {
        waiting.push(peer);
        if (waiting.length === 3) for (const each of waiting) each.send(textResponse('done.'));
      },
      { limits: { maxIdlePerUpstream: 1 } },
    );
    await Promise.all([1, 2, 3].map(() => rawExchange(front.port, get('/'), 'done.')));
    await until(() => front.forwarder.connections.open === 1);
  });

  it('are destroyed by data that comes while they are idle (CVE-2026-48931)', async () => {
    const { upstream, front } = await setUp(echo);
    await rawExchange(front.port, get('/1'), '.');
    upstream.peers[0]!.send(textResponse('poison.'));
    await until(() => upstream.open === 0);
    expect(await rawExchange(front.port, get('/2'), '.')).toContain('you asked /2.');
  });

  it.each([1, 2, 3, 4])(
    'never give a response that waited in the kernel to the next client (CVE-2026-48931), try %i',
    async () => {
      const { upstream, front } = await setUp(echo);
      const client = await BytePeer.tcp(front.port);
      await ask(client, '/1');
      // Both arrive while the loop is busy; the order in which it finds them must not matter.
      client.send(get('/2'));
      blockTheLoop(20);
      upstream.peers[0]!.send(textResponse('poison.'));
      blockTheLoop(50);
      await client.receive('/2.');
      expect(client.received).not.toContain('poison');
      expect(upstream.peers).toHaveLength(2);
      client.destroy();
    },
  );

  it('never give it to a request that is handled while the loop is kept busy', async () => {
    const { upstream, front } = await setUp(echo);
    const client = await BytePeer.tcp(front.port);
    await ask(client, '/1');
    const idle = upstream.peers[0]!;
    // The proxy reads the request first; before it has gone further the poison comes and everything stands still.
    const clientSide = once(front.requests, 'request').then(() => {
      idle.send(textResponse('poison.'));
      blockTheLoop(50);
    });
    client.send(get('/2'));
    await clientSide;
    await client.receive('/2.');
    expect(client.received).not.toContain('poison');
    client.destroy();
  });
});

describe('a connection that turns out to be closed when it is used again', () => {
  /** The first connection answers once and then goes away at the sight of the second request. */
  const goesAway: UpstreamScript = (peer, head, index) => {
    if (index === 1) peer.destroy();
    else echo(peer, head, index);
  };

  it('is replaced by a new one, once, for GET (RFC 9110 9.2.2)', async () => {
    const { upstream, front } = await setUp(goesAway);
    const client = await BytePeer.tcp(front.port);
    await ask(client, '/1');
    expect(await ask(client, '/2')).toContain('200 OK');
    expect(upstream.heads.map(path)).toEqual(['/1', '/2', '/2']);
    client.destroy();
  });

  it('is a 502 for POST, which reaches the upstream at most once', async () => {
    const { upstream, front } = await setUp(goesAway);
    await rawExchange(front.port, get('/1'), '.');
    expect(
      await rawExchange(front.port, 'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 'upstream_reset'),
    ).toContain(' 502 ');
    expect(upstream.heads.map(path)).toEqual(['/1', '/2']);
    expect(front.errors[0]).toMatchObject({ replayable: false, stale: true });
  });

  it('is a 502 for PUT whose content has been sent', async () => {
    const { upstream, front } = await setUp(goesAway);
    await rawExchange(front.port, get('/1'), '.');
    expect(
      await rawExchange(front.port, 'PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na', 'upstream_reset'),
    ).toContain(' 502 ');
    expect(upstream.heads.map(path)).toEqual(['/1', '/2']);
  });

  it('is tried once only', async () => {
    const { upstream, front } = await setUp((peer, head, index) =>
      index === 0 ? echo(peer, head, index) : peer.destroy(),
    );
    await rawExchange(front.port, get('/1'), '.');
    expect(await rawExchange(front.port, get('/2'), 'upstream_reset')).toContain(' 502 ');
    expect(upstream.heads.map(path)).toEqual(['/1', '/2', '/2']);
  });

  it('is not used at all when its end has been seen', async () => {
    const { upstream, front } = await setUp(echo);
    await rawExchange(front.port, get('/1'), '.');
    upstream.peers[0]!.socket.end();
    await until(() => front.forwarder.connections.open === 0);
    expect(await rawExchange(front.port, 'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', '.')).toContain(
      ' 200 ',
    );
  });

  it('is not used for a POST that was handled while its end waited in the kernel', async () => {
    const { upstream, front } = await setUp(echo);
    const client = await BytePeer.tcp(front.port);
    await ask(client, '/1');
    client.send('POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    blockTheLoop(20);
    upstream.peers[0]!.socket.end();
    blockTheLoop(20);
    expect(await client.receive('/2.')).not.toContain(' 502 ');
    client.destroy();
  });
});
