import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { ForwardingFront } from '../support/set-ups/forwarding-front.ts';
import { bodyOf, headOf, rawExchange, valuesIn } from '../support/wire/raw-exchange.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const setUp = forwardingSetUp();
const HANDSHAKE =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n';
const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: a=1\r\n\r\n';

const PIECES = 100;

/** Until a number has not changed for a while. */
function untilSame(look: () => number): Promise<unknown> {
  const seen: number[] = [];
  return until(() => seen.push(look()) > 5 && seen.slice(-5).every((each) => each === seen.at(-1)));
}

/** A tunnel whose both ends are in the hands of the test. */
async function openTunnel(options: Parameters<typeof setUp>[1] = {}) {
  const { upstream, front } = await setUp((peer) => peer.send(ACCEPTED), options);
  const client = await BytePeer.tcp(front.port, { allowHalfOpen: true });
  client.send(HANDSHAKE);
  await client.receive('\r\n\r\n');
  const inside = upstream.peers[0] as BytePeer;
  onTestFinished(() => client.destroy());
  return { upstream, front, client, inside };
}

describe('a WebSocket (RFC 6455)', () => {
  it('has its handshake passed on both ways', async () => {
    const { upstream, front, client } = await openTunnel({ extra: ['Set-Cookie', 'pin=x'] });
    const head = upstream.heads[0]!;
    expect(valuesIn(head, 'upgrade')).toEqual(['websocket']);
    expect(valuesIn(head, 'connection')).toEqual(['Upgrade']);
    expect(valuesIn(head, 'sec-websocket-key')).toEqual(['dGhlIHNhbXBsZSBub25jZQ==']);
    expect(valuesIn(head, 'sec-websocket-protocol')).toEqual(['chat']);
    expect(valuesIn(head, 'x-forwarded-proto')).toEqual(['https']);
    const answer = headOf(client.received);
    expect(answer.startsWith('HTTP/1.1 101 Switching Protocols\r\n')).toBe(true);
    expect(valuesIn(answer, 'sec-websocket-accept')).toEqual(['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
    expect(valuesIn(answer, 'connection')).toEqual(['Upgrade']);
    expect(valuesIn(answer, 'upgrade')).toEqual(['websocket']);
    expect(valuesIn(answer, 'set-cookie')).toEqual(['a=1', 'pin=x']);
    expect(front.forwarder.inFlight).toBe(1);
  });

  it('carries what comes right behind the handshake, both ways', async () => {
    const { upstream, front } = await setUp((peer) => peer.send(`${ACCEPTED}from upstream`));
    const client = await BytePeer.tcp(front.port);
    client.send(`${HANDSHAKE}from client`);
    await client.receive('from upstream');
    await upstream.peers[0]!.receive('from client');
    client.destroy();
  });

  it('echoes 10 000 random messages byte for byte', async () => {
    const server = createServer();
    const echo = new WebSocketServer({ server });
    echo.on('connection', (socket) =>
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const front = await new ForwardingFront({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    }).start();
    onTestFinished(async () => {
      await front.close();
      echo.close();
      server.close();
    });
    const socket = new WebSocket(`ws://127.0.0.1:${front.port}/`);
    await once(socket, 'open');
    const pool = randomBytes(70_000);
    const message = (index: number) =>
      pool.subarray(index % 1_000, (index % 1_000) + ((index * 37) % (index % 100 === 0 ? 65_536 : 600)));
    let matched = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (message(matched).equals(data)) matched += 1;
        if (matched === 10_000) resolve();
      });
    });
    for (let index = 0; index < 10_000; index += 1) socket.send(message(index));
    await all;
    socket.close();
    await until(() => front.results.length === 1);
    expect(front.results[0]).toMatchObject({ outcome: 'completed', status: 101 });
    expect(front.forwarder.inFlight).toBe(0);
  });

  it('lets a half-close travel, from either side', async () => {
    const first = await openTunnel();
    first.client.socket.end('last words');
    await first.inside.receive('last words');
    await until(() => first.inside.ending === 'fin');
    first.inside.send('still here');
    await first.client.receive('still here');
    first.inside.socket.end();
    await until(() => first.front.forwarder.inFlight === 0);

    const second = await openTunnel();
    second.inside.socket.end('bye');
    await second.client.receive('bye');
    await until(() => second.client.ending === 'fin');
    second.client.send('not yet');
    await second.inside.receive('not yet');
    expect(second.front.forwarder.inFlight).toBe(1);
    second.client.socket.end();
    await until(() => second.front.forwarder.inFlight === 0);
  });

  it('closes one side when the other is reset', async () => {
    const first = await openTunnel();
    first.client.socket.resetAndDestroy();
    await first.inside.untilClosed();
    const second = await openTunnel();
    second.inside.socket.resetAndDestroy();
    await second.client.untilClosed();
    await until(() => second.front.forwarder.inFlight === 0);
  });

  it('keeps nothing of the request that it came from', async () => {
    const { front, client, inside } = await openTunnel();
    await until(() => {
      collectGarbage();
      return front.upgrades[0]?.deref() === undefined;
    });
    client.send('still open');
    await inside.receive('still open');
  });

  it('is not cut while it is silent, but when it is stuck', async () => {
    const { front, client, inside } = await openTunnel({ limits: { stallTimeoutMs: 100 } });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(front.forwarder.inFlight).toBe(1);
    client.socket.pause();
    inside.socket.write(Buffer.alloc(50_000_000));
    await until(() => front.forwarder.inFlight === 0);
  });

  it.each(['client', 'upstream'])('holds one end back as long as the other, the %s, does not read', async (slow) => {
    const { client, inside } = await openTunnel();
    const [reader, writer] = slow === 'client' ? [client, inside] : [inside, client];
    reader.socket.removeAllListeners('data').pause();
    const piece = Buffer.alloc(1_000_000, 'x');
    let left = 0;
    for (let sent = 0; sent < PIECES; sent += 1) writer.socket.write(piece, () => (left += 1));
    writer.socket.end();
    await untilSame(() => left);
    // More than that has no place in the buffers of the kernel.
    expect(left).toBeLessThan(PIECES / 2);
    let read = 0;
    reader.socket.on('data', (bytes: Buffer) => (read += bytes.length)).resume();
    await until(() => reader.ending === 'fin');
    expect(read).toBe(PIECES * piece.length);
  });

  it.each(['Content-Length: 5', 'Transfer-Encoding: chunked'])('has no content: %s is for nobody', async (field) => {
    const accepted = ACCEPTED.replace('\r\n\r\n', `\r\n${field}\r\n\r\n`);
    const { upstream, front } = await setUp((peer) => peer.send(`${accepted}hello, and more`));
    const client = await BytePeer.tcp(front.port);
    onTestFinished(() => client.destroy());
    client.send(HANDSHAKE);
    await client.receive('hello, and more');
    expect(headOf(client.received)).not.toContain(field);
    client.send('answer');
    await upstream.peers[0]!.receive('answer');
  });

  it('is cut when the forwarder closes', async () => {
    const { front, client, inside } = await openTunnel();
    await front.forwarder.close(10);
    await client.untilClosed();
    await inside.untilClosed();
    await until(() => front.forwarder.inFlight === 0);
  });
});

describe('a WebSocket that is refused', () => {
  it.each([
    ['401 Unauthorized', 'WWW-Authenticate: Basic\r\n'],
    ['302 Found', 'Location: /login\r\n'],
    ['500 Internal Server Error', ''],
    ['200 OK', ''],
  ])('is answered %s with its content, and the connection closed cleanly', async (status, line) => {
    const { upstream, front } = await setUp((peer) =>
      peer.send(`HTTP/1.1 ${status}\r\nContent-Length: 6\r\n${line}\r\nreason`),
    );
    const client = await BytePeer.tcp(front.port);
    client.send(HANDSHAKE);
    await client.untilClosed();
    expect(client.ending).toBe('fin');
    expect(client.received.startsWith(`HTTP/1.1 ${status}\r\n`)).toBe(true);
    expect(client.received).toContain(line);
    expect(bodyOf(client.received)).toBe('reason');
    expect(valuesIn(headOf(client.received), 'connection')).toEqual(['close']);
    await until(() => front.forwarder.inFlight === 0 && upstream.open <= 1);
  });

  it('is answered with all of its content, however much that is', async () => {
    const content = 'reason '.repeat(300_000);
    const { front } = await setUp((peer) =>
      peer.send(`HTTP/1.1 401 Unauthorized\r\nContent-Length: ${content.length}\r\n\r\n${content}`),
    );
    const client = await BytePeer.tcp(front.port);
    client.send(HANDSHAKE);
    await client.untilClosed();
    expect(client.ending).toBe('fin');
    expect(bodyOf(client.received).length).toBe(content.length);
  });

  it.each([
    ['without Upgrade', 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n'],
    ['for another protocol', 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
    ['without Connection', 'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n'],
  ])('is a 502 when the 101 comes %s', async (_what, response) => {
    const { upstream, front } = await setUp((peer) => peer.send(response));
    expect(await rawExchange(front.port, HANDSHAKE)).toMatch(/^HTTP\/1.1 502 [^]*upstream_bad_response/);
    await until(() => upstream.open === 0);
  });

  it('is a 502 when the upstream dies before it answers', async () => {
    const { front } = await setUp((peer) => peer.socket.resetAndDestroy());
    expect(await rawExchange(front.port, HANDSHAKE)).toMatch(/^HTTP\/1.1 502 /);
  });

  it.each(['fin', 'reset'])(
    'takes the upstream connection with it when the client leaves before the answer (%s)',
    async (how) => {
      const { upstream, front } = await setUp(() => undefined);
      const client = await BytePeer.tcp(front.port);
      client.send(HANDSHAKE);
      await until(() => upstream.heads.length === 1);
      if (how === 'fin') client.socket.end();
      else client.socket.resetAndDestroy();
      await until(() => upstream.open === 0, { interval: 2 });
      await until(() => front.results[0]?.outcome === 'abandoned');
    },
  );
});

describe('another protocol that is asked for (RFC 9110 7.8)', () => {
  it.each([
    ['h2c', 'GET', ''],
    ['h2c', 'POST', 'hello'],
    ['websocket', 'POST', 'hello'],
    ['TLS/1.0', 'GET', ''],
  ])('is ignored and the request served as it is: %s with %s', async (token, method, content) => {
    const { upstream, front } = await setUp((peer) => {
      if (content === '') peer.send(textResponse('served'));
      else void peer.receive(content).then(() => peer.send(textResponse('served')));
    });
    const client = await BytePeer.tcp(front.port);
    const length = content === '' ? '' : `Content-Length: ${content.length}\r\n`;
    client.send(
      `${method} / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${token}\r\nHTTP2-Settings: AAM\r\n${length}\r\n${content}`,
    );
    expect(await client.receive('served')).toContain(' 200 OK');
    expect(valuesIn(upstream.heads[0]!, 'upgrade')).toEqual([]);
    client.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => upstream.peers.some((peer) => peer.received.includes('GET /again')));
    client.destroy();
  });
});
