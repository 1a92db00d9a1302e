import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { forwardingSetUp } from '../support/forwarding.ts';
import type { RawPeer } from '../support/raw-http.ts';
import { connectRaw, rawExchange } from '../support/raw-http.ts';
import type { UpstreamScript } from '../support/upstream.ts';
import { textResponse } from '../support/upstream.ts';

const setUp = forwardingSetUp();
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const path = (head: string) => /^\S+ (\S+)/.exec(head)![1]!;
const echo: UpstreamScript = (peer, head) => peer.send(textResponse(`you asked ${path(head)}.`));

/** Keeps this process, and so the loop of the proxy, from seeing anything. */
function blockTheLoop(forMs: number): void {
  const until = performance.now() + forMs;
  while (performance.now() < until);
}

async function ask(client: RawPeer, target: string): Promise<string> {
  const from = client.received.length;
  client.send(get(target));
  await vi.waitUntil(() => /\.$/.test(client.received.slice(from)), { interval: 1 });
  return client.received.slice(from);
}

describe('the connections to an upstream', () => {
  it('are used again', async () => {
    const { upstream, front } = await setUp(echo);
    const client = await connectRaw(front.port);
    for (const target of ['/1', '/2', '/3']) expect(await ask(client, target)).toContain(`you asked ${target}.`);
    expect(upstream.peers).toHaveLength(1);
    expect(front.forwarder.connections).toEqual({ open: 1, idle: 1 });
    client.destroy();
  });

  it('are as many as there are requests at a time', async () => {
    const waiting: RawPeer[] = [];
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
      await vi.waitUntil(() => upstream.open === 0);
      expect(upstream.peers).toHaveLength(count);
    }
  });

  it('are closed after the idle time, before the upstream does', async () => {
    const { upstream, front } = await setUp(echo, { limits: { idleTimeoutMs: 60 } });
    await rawExchange(front.port, get('/'), '.');
    expect(front.forwarder.connections.idle).toBe(1);
    await vi.waitUntil(() => upstream.open === 0);
    expect(front.forwarder.connections).toEqual({ open: 0, idle: 0 });
  });

  it('are kept idle up to a number', async () => {
    const waiting: RawPeer[] = [];
    const { front } = await setUp(
      (peer) => {
        waiting.push(peer);
        if (waiting.length === 3) for (const each of waiting) each.send(textResponse('done.'));
      },
      { limits: { maxIdlePerUpstream: 1 } },
    );
    await Promise.all([1, 2, 3].map(() => rawExchange(front.port, get('/'), 'done.')));
    await vi.waitUntil(() => front.forwarder.connections.open === 1);
  });

  it('are destroyed by data that comes while they are idle (CVE-2026-48931)', async () => {
    const { upstream, front } = await setUp(echo);
    await rawExchange(front.port, get('/1'), '.');
    upstream.peers[0]!.send(textResponse('poison.'));
    await vi.waitUntil(() => upstream.open === 0);
    expect(await rawExchange(front.port, get('/2'), '.')).toContain('you asked /2.');
  });

  it.each([1, 2, 3, 4])(
    'never give a response that waited in the kernel to the next client (CVE-2026-48931), try %i',
    async () => {
      const { upstream, front } = await setUp(echo);
      const client = await connectRaw(front.port);
      await ask(client, '/1');
      // Both arrive while the loop is busy; the order in which it finds them must not matter.
      client.send(get('/2'));
      blockTheLoop(20);
      upstream.peers[0]!.send(textResponse('poison.'));
      blockTheLoop(50);
      await client.until('/2.');
      expect(client.received).not.toContain('poison');
      expect(upstream.peers).toHaveLength(2);
      client.destroy();
    },
  );

  it('never give it to a request that is handled while the loop is kept busy', async () => {
    const { upstream, front } = await setUp(echo);
    const client = await connectRaw(front.port);
    await ask(client, '/1');
    const idle = upstream.peers[0]!;
    // The proxy reads the request first; before it has gone further the poison comes and everything stands still.
    const clientSide = once(front.requests, 'request').then(() => {
      idle.send(textResponse('poison.'));
      blockTheLoop(50);
    });
    client.send(get('/2'));
    await clientSide;
    await client.until('/2.');
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
    const client = await connectRaw(front.port);
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
    await vi.waitUntil(() => front.forwarder.connections.open === 0);
    expect(await rawExchange(front.port, 'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', '.')).toContain(
      ' 200 ',
    );
  });

  it('is not used for a POST that was handled while its end waited in the kernel', async () => {
    const { upstream, front } = await setUp(echo);
    const client = await connectRaw(front.port);
    await ask(client, '/1');
    client.send('POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    blockTheLoop(20);
    upstream.peers[0]!.socket.end();
    blockTheLoop(20);
    expect(await client.until('/2.')).not.toContain(' 502 ');
    client.destroy();
  });
});

describe('a client that leaves', () => {
  it('before the first byte takes the upstream connection with it', async () => {
    const { upstream, front } = await setUp(() => undefined);
    const client = await connectRaw(front.port);
    client.send(get('/'));
    await vi.waitUntil(() => upstream.heads.length === 1);
    client.destroy();
    await vi.waitUntil(() => upstream.open === 0, { timeout: 100, interval: 2 });
    await vi.waitUntil(() => front.results[0]?.outcome === 'abandoned');
    expect(front.forwarder.inFlight).toBe(0);
  });

  it('in the middle of a download does so too, even when it had stopped reading', async () => {
    const { upstream, front } = await setUp((peer) => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
      peer.socket.write(Buffer.alloc(50_000_000));
    });
    const client = await connectRaw(front.port);
    client.send(get('/'));
    await client.until('200 OK');
    client.socket.pause();
    await vi.waitFor(() => expect(upstream.peers[0]!.socket.writableLength).toBeGreaterThan(10_000_000));
    client.destroy();
    await vi.waitUntil(() => upstream.open === 0, { timeout: 200, interval: 2 });
  });
});

describe('back-pressure', () => {
  it('holds the upstream while the client does not read, and cuts it off at the limit', async () => {
    const { upstream, front } = await setUp(
      (peer) => {
        peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
        peer.socket.write(Buffer.alloc(100_000_000));
      },
      { limits: { stallTimeoutMs: 300 } },
    );
    const client = await connectRaw(front.port);
    client.send(get('/'));
    await client.until('200 OK');
    client.socket.pause();
    await vi.waitUntil(() => front.results.length === 1);
    expect(front.results[0]!.outcome).toBe('client_stalled');
    expect(front.results[0]!.bytes).toBeLessThan(50_000_000);
    await vi.waitUntil(() => upstream.open === 0);
    client.destroy();
  });

  it('holds the client while the upstream does not read', async () => {
    const { upstream, front } = await setUp((peer) => peer.socket.pause(), { limits: { responseTimeoutMs: 300 } });
    const client = await connectRaw(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    client.socket.write(Buffer.alloc(100_000_000));
    await client.until(' 504 ');
    expect(client.socket.writableLength).toBeGreaterThan(50_000_000);
    expect(upstream.heads).toHaveLength(1);
    client.destroy();
  });

  it.each(['h1', 'h2'])('loses no byte of a large transfer both ways (%s)', async (version) => {
    const size = 8 * 1_048_576;
    const chunk = Buffer.alloc(65_536, 'abcdefghij');
    const expected = createHash('sha256');
    for (let sent = 0; sent < size; sent += chunk.length) expected.update(chunk);
    const digest = expected.digest('hex');
    const { front } = await setUp((peer, head) => {
      let received = 0;
      peer.socket.removeAllListeners('data');
      peer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n`);
      const sendBack = (bytes: Buffer): void => {
        if (bytes.length === 0) return;
        received += bytes.length;
        peer.send(`${bytes.length.toString(16)}\r\n`);
        peer.socket.write(bytes);
        if (!peer.socket.write('\r\n')) {
          peer.socket.pause();
          peer.socket.once('drain', () => peer.socket.resume());
        }
        if (received === size) peer.send(`0\r\n\r\n`);
      };
      peer.socket.on('data', sendBack);
      sendBack(Buffer.from(peer.received.slice(head.length), 'latin1'));
    });
    const hash = createHash('sha256');
    if (version === 'h2') {
      const stream = front.http2().request({ ':method': 'POST', ':path': '/', 'content-length': String(size) });
      stream.on('data', (bytes: Buffer) => hash.update(bytes));
      await upload(stream, chunk, size);
      await once(stream, 'end');
    } else {
      const outgoing = request({ port: front.port, method: 'POST', headers: { 'content-length': size } });
      const ended = new Promise((resolve) => {
        outgoing.on('response', (response) =>
          response.on('data', (bytes: Buffer) => hash.update(bytes)).on('end', resolve),
        );
      });
      await upload(outgoing, chunk, size);
      await ended;
    }
    expect(hash.digest('hex')).toBe(digest);
  });
});

async function upload(stream: NodeJS.WritableStream, chunk: Buffer, size: number): Promise<void> {
  for (let sent = 0; sent < size; sent += chunk.length) if (!stream.write(chunk)) await once(stream, 'drain');
  stream.end();
}

describe('an answer that comes before the request is complete', () => {
  const early: UpstreamScript = (peer) => peer.send('HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\nenough');

  it('reaches the client whole, which may not use the connection any more', async () => {
    const { upstream, front } = await setUp(early);
    const client = await connectRaw(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    await client.until('enough');
    expect(client.received).toContain('Connection: close');
    client.socket.write(Buffer.alloc(500_000));
    await client.untilClosed();
    expect(client.ending).toBe('fin');
    expect(upstream.heads).toHaveLength(1);
    await vi.waitUntil(() => upstream.open === 0);
    client.destroy();
  });

  it('is followed by no other request of that connection (RFC 9112 9.6)', async () => {
    const { upstream, front } = await setUp(early);
    const client = await connectRaw(front.port, { allowHalfOpen: true });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n');
    await client.until('enough');
    client.send(`0123456789${get('/next')}`);
    await client.untilClosed();
    client.destroy();
    expect(upstream.heads).toHaveLength(1);
  });

  it('ends an HTTP/2 upload without an error', async () => {
    const { front } = await setUp(early);
    const stream = front.http2().request({ ':method': 'POST', ':path': '/' });
    let status: unknown;
    stream.on('response', (head) => (status = head[':status']));
    stream.write(Buffer.alloc(1_000));
    const chunks: Buffer[] = [];
    for await (const bytes of stream) chunks.push(bytes as Buffer);
    expect(status).toBe(413);
    expect(Buffer.concat(chunks).toString()).toBe('enough');
    await vi.waitUntil(() => stream.closed);
    expect(stream.rstCode).toBe(0);
  });
});

describe('Forwarder.close', () => {
  it('lets what is under way finish within its deadline, and refuses the rest', async () => {
    const { upstream, front } = await setUp(() => undefined);
    const answered = rawExchange(front.port, get('/1'), '.');
    await vi.waitUntil(() => upstream.heads.length === 1);
    const closed = front.forwarder.close(5_000);
    expect(await rawExchange(front.port, get('/2'), 'forwarder_closed')).toContain(' 502 ');
    upstream.peers[0]!.send(textResponse('late.'));
    expect(await answered).toContain('late.');
    await closed;
    expect(front.forwarder.connections.open).toBe(0);
  });

  it('cuts it after the deadline', async () => {
    const { upstream, front } = await setUp((peer) => peer.send('HTTP/1.1 200 OK\r\n\r\nabc'));
    const client = await connectRaw(front.port);
    client.send(get('/'));
    await client.until('abc');
    await front.forwarder.close(30);
    await client.untilClosed();
    expect(client.received).not.toMatch(/0\r\n\r\n$/);
    await vi.waitUntil(() => upstream.open === 0);
  });
});
