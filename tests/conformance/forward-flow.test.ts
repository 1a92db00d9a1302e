import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { rawExchange } from '../support/wire/raw-exchange.ts';
import type { UpstreamScript } from '../support/upstreams/upstream.ts';
import { textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until, untilPasses } from '../support/until.ts';

const setUp = forwardingSetUp();
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('a client that leaves', () => {
  it('before the first byte takes the upstream connection with it', async () => {
    const { upstream, front } = await setUp(() => undefined);
    const client = await BytePeer.tcp(front.port);
    client.send(get('/'));
    await until(() => upstream.heads.length === 1);
    client.destroy();
    await until(() => upstream.open === 0, { interval: 2 });
    await until(() => front.results[0]?.outcome === 'abandoned');
    expect(front.forwarder.inFlight).toBe(0);
  });

  it('in the middle of a download does so too, even when it had stopped reading', async () => {
    const { upstream, front } = await setUp((peer) => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
      peer.socket.write(Buffer.alloc(50_000_000));
    });
    const client = await BytePeer.tcp(front.port);
    client.send(get('/'));
    await client.receive('200 OK');
    client.socket.pause();
    await untilPasses(() => expect(upstream.peers[0]!.socket.writableLength).toBeGreaterThan(10_000_000));
    client.destroy();
    await until(() => upstream.open === 0, { interval: 2 });
  });
});

describe('a client of HTTP/2 that leaves', () => {
  it('in the middle of an upload that the upstream does not read takes the upstream connection with it', async () => {
    const { upstream, front } = await setUp((peer) => void peer.socket.pause());
    const session = front.http2();
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => undefined);
    stream.write(Buffer.alloc(20_000_000));
    await until(() => upstream.peers.length === 1 && upstream.peers[0]!.socket.isPaused());
    // Held on all the way when nothing more leaves the client.
    let sent = -1;
    let same = 0;
    const isHeld = (): boolean => {
      const { bytesWritten } = session.socket;
      same = bytesWritten === sent ? same + 1 : 0;
      sent = bytesWritten;
      return same === 5;
    };
    await until(isHeld);
    stream.destroy(new Error('The client leaves.'));
    upstream.peers[0]!.socket.resume();
    await until(() => upstream.open === 0 && front.forwarder.inFlight === 0);
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
    const client = await BytePeer.tcp(front.port);
    client.send(get('/'));
    await client.receive('200 OK');
    client.socket.pause();
    await until(() => front.results.length === 1);
    expect(front.results[0]!.outcome).toBe('client_stalled');
    expect(front.results[0]!.bytes).toBeLessThan(50_000_000);
    await until(() => upstream.open === 0);
    client.destroy();
  });

  it('holds the client while the upstream does not read, which is given up at the limit', async () => {
    const { upstream, front } = await setUp((peer) => peer.socket.pause(), { limits: { responseTimeoutMs: 500 } });
    const client = await BytePeer.tcp(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    client.socket.write(Buffer.alloc(100_000_000));
    const held: number[] = [];
    const watch = setInterval(() => held.push(client.socket.writableLength), 10);
    await until(() => front.errors.length === 1);
    clearInterval(watch);
    expect(front.errors[0]!.code).toBe('upstream_timeout');
    // Long after the buffers on the way were full, and before the connection was given up.
    expect(held[Math.floor(held.length / 2)]).toBeGreaterThan(50_000_000);
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

describe('an answer that comes before the request is complete', () => {
  const early: UpstreamScript = (peer) => peer.send('HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\nenough');

  it('reaches the client whole, which may not use the connection any more', async () => {
    const { upstream, front } = await setUp(early);
    const client = await BytePeer.tcp(front.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    await client.receive('enough');
    expect(client.received).toContain('Connection: close');
    client.socket.write(Buffer.alloc(500_000));
    await client.untilClosed();
    expect(client.ending).toBe('fin');
    expect(upstream.heads).toHaveLength(1);
    await until(() => upstream.open === 0);
    client.destroy();
  });

  it('is followed by no other request of that connection (RFC 9112 9.6)', async () => {
    const { upstream, front } = await setUp(early);
    const client = await BytePeer.tcp(front.port, { allowHalfOpen: true });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n');
    await client.receive('enough');
    client.send(`0123456789${get('/next')}`);
    await client.untilClosed();
    client.destroy();
    expect(upstream.heads).toHaveLength(1);
  });

  it('ends an HTTP/2 upload without an error', async () => {
    const { front } = await setUp(early);
    const session = front.http2();
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    let status: unknown;
    stream.on('response', (head) => (status = head[':status']));
    stream.write(Buffer.alloc(1_000));
    const chunks: Buffer[] = [];
    for await (const bytes of stream) chunks.push(bytes as Buffer);
    expect(status).toBe(413);
    expect(Buffer.concat(chunks).toString()).toBe('enough');
    await until(() => stream.closed);
    expect(stream.rstCode).toBe(0);
  });
});

describe('Forwarder.close', () => {
  it('lets what is under way finish within its deadline, and refuses the rest', async () => {
    const { upstream, front } = await setUp(() => undefined);
    const answered = rawExchange(front.port, get('/1'), '.');
    await until(() => upstream.heads.length === 1);
    const closed = front.forwarder.close(5_000);
    expect(await rawExchange(front.port, get('/2'), 'forwarder_closed')).toContain(' 502 ');
    upstream.peers[0]!.send(textResponse('late.'));
    expect(await answered).toContain('late.');
    await closed;
    expect(front.forwarder.connections.open).toBe(0);
  });

  it('cuts it after the deadline', async () => {
    const { upstream, front } = await setUp((peer) => peer.send('HTTP/1.1 200 OK\r\n\r\nabc'));
    const client = await BytePeer.tcp(front.port);
    client.send(get('/'));
    await client.receive('abc');
    await front.forwarder.close(30);
    await client.untilClosed();
    expect(client.received).not.toMatch(/0\r\n\r\n$/);
    await until(() => upstream.open === 0);
  });
});

describe('memory', () => {
  it('stays flat while 256 MiB pass to a client that reads slowly, and from it (scenario 19, scaled down)', async () => {
    const size = 256 * 1_048_576;
    const block = Buffer.alloc(1_048_576, 'x');
    const { front } = await setUp((peer, head) => {
      peer.socket.removeAllListeners('data');
      if (head.startsWith('GET')) {
        peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        void upload(peer.socket, block, size);
        return;
      }
      let received = peer.received.length - head.length;
      peer.socket.on('data', (bytes: Buffer) => {
        received += bytes.length;
        if (received === size) peer.send(textResponse('whole.'));
        // The upstream is the slow one here.
        if (received % 7 === 0) pauseForAMoment(peer.socket);
      });
    });
    let highest = 0;
    const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 5);
    try {
      const before = process.memoryUsage().rss;
      const download = await BytePeer.tcp(front.port);
      download.socket.removeAllListeners('data');
      let read = 0;
      download.socket.on('data', (bytes: Buffer) => {
        read += bytes.length;
        if (read % 7 === 0) pauseForAMoment(download.socket);
      });
      download.send(get('/'));
      await until(() => read > size, { timeout: 25_000 });
      const uploading = await BytePeer.tcp(front.port);
      uploading.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
      await upload(uploading.socket, block, size, false);
      await uploading.receive('whole.');
      expect(highest - before).toBeLessThan(64 * 1_048_576);
      download.destroy();
      uploading.destroy();
    } finally {
      clearInterval(watch);
    }
  });
});

function pauseForAMoment(socket: Socket): void {
  socket.pause();
  setTimeout(() => socket.resume(), 1);
}

async function upload(stream: NodeJS.WritableStream, chunk: Buffer, size: number, ends = true): Promise<void> {
  for (let sent = 0; sent < size; sent += chunk.length) if (!stream.write(chunk)) await once(stream, 'drain');
  if (ends) stream.end();
}
