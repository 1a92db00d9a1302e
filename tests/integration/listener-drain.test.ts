import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { get, get2, openHttp2 } from '../support/clients/front-door-clients.ts';
import { FrontDoor, type FrontDoorOptions } from '../support/set-ups/front-door.ts';
import { RawClient } from '../support/clients/raw-client.ts';

let door: FrontDoor;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await door.close();
});

async function open(options?: FrontDoorOptions): Promise<FrontDoor> {
  door = await FrontDoor.open(options);
  return door;
}

async function http2(): Promise<ClientHttp2Session> {
  const session = await openHttp2(door);
  cleanups.push(() => session.destroy());
  return session;
}

describe('draining', () => {
  it('lets requests finish, refuses new connections, and announces the end', async () => {
    const finishes: (() => void)[] = [];
    await open({ onExchange: (exchange) => void finishes.push(() => exchange.respond(200, [], 'finished')) });
    const session = await http2();
    const second = get2(session);
    const first = get(door);
    await vi.waitUntil(() => finishes.length === 2);
    const drained = door.listener.drain({ timeoutMs: 5_000, announceMs: 0 });
    await expect(get(door)).rejects.toThrow();
    await once(session, 'goaway');
    for (const finish of finishes) finish();
    const answer = await first;
    expect(answer).toMatchObject({ status: 200, body: 'finished', headers: { connection: 'close' } });
    expect(await second).toEqual({ status: 200, body: 'finished' });
    await drained;
    expect(door.listener.counts.open).toBe(0);
  });

  it('serves one more request of a kept-alive connection, with Connection: close', async () => {
    await open();
    const client = await RawClient.tls(door.client);
    client.send('GET /1 HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await client.until('app.test /1');
    const drained = door.listener.drain({ timeoutMs: 5_000, announceMs: 4_000 });
    client.send('GET /2 HTTP/1.1\r\nHost: app.test\r\n\r\n');
    const answer = await client.untilClosed();
    expect(answer).toContain('app.test /2');
    expect(answer).toContain('Connection: close');
    await drained;
  });

  it('closes what stays idle once the close was announced for a while', async () => {
    await open();
    const client = await RawClient.tls(door.client);
    client.send('GET /1 HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await client.until('app.test /1');
    const session = await http2();
    await door.listener.drain({ timeoutMs: 60_000, announceMs: 50 });
    await client.untilClosed();
    expect(session.closed).toBe(true);
  });

  it('cuts what is still open at the deadline, upgraded sockets too', async () => {
    await open({
      onExchange: () => undefined,
      onUpgrade: (exchange) => void exchange.takeSocket().socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    });
    const socket = await RawClient.tls(door.client);
    socket.send('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await socket.until('101');
    const slow = get(door).catch((error: unknown) => error);
    const slow2 = get2(await http2()).catch((error: unknown) => error);
    await vi.waitUntil(() => door.exchanges.length === 3);
    await door.listener.drain({ timeoutMs: 100, announceMs: 0 });
    await socket.untilClosed();
    expect(await slow).toBeInstanceOf(Error);
    await slow2;
    expect(door.listener.counts).toMatchObject({ open: 0, http1: 0, sessions: 0 });
  });
});
