import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { get, get2 } from '../support/clients/front-door-clients.ts';
import { frontDoorSetUp } from '../support/set-ups/front-door-set-up.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const front = frontDoorSetUp();

describe('draining', () => {
  it('lets requests finish, refuses new connections, and announces the end', async () => {
    const finishes: (() => void)[] = [];
    await front.open({ onExchange: (exchange) => void finishes.push(() => exchange.respond(200, [], 'finished')) });
    const session = await front.http2();
    const second = get2(session);
    const first = get(front.door);
    await until(() => finishes.length === 2);
    const drained = front.door.listener.drain({ timeoutMs: 60_000, announceMs: 0 });
    await expect(get(front.door)).rejects.toThrow();
    await once(session, 'goaway');
    for (const finish of finishes) finish();
    const answer = await first;
    expect(answer).toMatchObject({ status: 200, body: 'finished', headers: { connection: 'close' } });
    expect(await second).toEqual({ status: 200, body: 'finished' });
    await drained;
    expect(front.door.listener.counts.open).toBe(0);
  });

  it('serves one more request of a kept-alive connection, with Connection: close', async () => {
    await front.open();
    const client = await BytePeer.tls(front.door.client);
    client.send('GET /1 HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await client.receive('app.test /1');
    const drained = front.door.listener.drain({ timeoutMs: 60_000, announceMs: 30_000 });
    client.send('GET /2 HTTP/1.1\r\nHost: app.test\r\n\r\n');
    const answer = await client.untilClosed();
    expect(answer).toContain('app.test /2');
    expect(answer).toContain('Connection: close');
    await drained;
  });

  it('closes what stays idle once the close was announced for a while', async () => {
    await front.open();
    const client = await BytePeer.tls(front.door.client);
    client.send('GET /1 HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await client.receive('app.test /1');
    const session = await front.http2();
    await front.door.listener.drain({ timeoutMs: 60_000, announceMs: 50 });
    await client.untilClosed();
    await until(() => session.closed);
  });

  it('cuts what is still open at the deadline, upgraded sockets too', async () => {
    await front.open({
      onExchange: () => undefined,
      onUpgrade: (exchange) => void exchange.takeSocket().socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    });
    const socket = await BytePeer.tls(front.door.client);
    socket.send('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await socket.receive('101');
    const slow = get(front.door).catch((error: unknown) => error);
    const slow2 = get2(await front.http2()).catch((error: unknown) => error);
    await until(() => front.door.exchanges.length === 3);
    await front.door.listener.drain({ timeoutMs: 100, announceMs: 0 });
    await socket.untilClosed();
    expect(await slow).toBeInstanceOf(Error);
    await slow2;
    expect(front.door.listener.counts).toMatchObject({ open: 0, http1: 0, sessions: 0 });
  });
});
