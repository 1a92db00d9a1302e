import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ClientHttp2Session } from 'node:http2';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { CertificateStore } from '../../src/tls/certificate-store.ts';
import { get, get2, openHttp2, openTls } from '../support/clients/front-door-clients.ts';
import { FrontDoor, type FrontDoorOptions } from '../support/set-ups/front-door.ts';
import { RawClient } from '../support/clients/raw-client.ts';
import { TestAuthority } from '../support/test-certificate.ts';

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

async function tls(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = await openTls(door, options);
  cleanups.push(() => socket.destroy());
  return socket;
}

describe('the front door', () => {
  it('speaks HTTP/1.1 and HTTP/2 on one port, as ALPN decides', async () => {
    await open();
    expect(await get(door, { path: '/one' })).toMatchObject({ status: 200, body: 'app.test /one' });
    expect(await get2(await http2(), '/two')).toEqual({ status: 200, body: 'app.test /two' });
    expect(
      door.exchanges.map(({ httpVersion, serverName, remoteAddress, secure }) => [
        httpVersion,
        serverName,
        remoteAddress,
        secure,
      ]),
    ).toEqual([
      ['1.1', 'app.test', '127.0.0.1', true],
      ['2', 'app.test', '127.0.0.1', true],
    ]);
  });

  it('keeps HTTP/1.1 connections alive', async () => {
    await open();
    const client = await RawClient.tls(door.client);
    for (const path of ['/1', '/2', '/3']) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`);
      await client.until(`app.test ${path}`);
    }
    expect(door.listener.counts).toMatchObject({ open: 1, http1: 1, sessions: 0 });
    client.destroy();
    await vi.waitUntil(() => door.listener.counts.open === 0);
    expect(door.listener.counts.http1).toBe(0);
  });

  it('speaks TLS 1.2 and 1.3 with forward secrecy, and nothing older', async () => {
    await open();
    expect((await tls({ maxVersion: 'TLSv1.2' })).getCipher().name).toMatch(/^ECDHE-.*(GCM|CHACHA20)/);
    expect((await tls()).getProtocol()).toBe('TLSv1.3');
    await expect(tls({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).rejects.toThrow();
    await expect(tls({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA' })).rejects.toThrow();
    await expect(tls({ ALPNProtocols: ['spdy/3'] })).rejects.toThrow();
    expect((await get(door)).status).toBe(200);
  });

  it('resumes TLS sessions', async () => {
    await open();
    const first = connectTls({ ...door.client });
    first.on('error', () => undefined);
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    expect((await tls({ session })).isSessionReused()).toBe(true);
  });

  it('answers a client that sends no name, and survives what is no TLS', async () => {
    await open();
    expect((await get(door, { servername: '' })).status).toBe(200);
    expect(door.exchanges[0]?.serverName).toBeUndefined();
    const plain = await RawClient.tcp(door.port);
    plain.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await plain.untilClosed();
    expect((await get(door)).status).toBe(200);
  });

  it('listens on one more address with the same port', async () => {
    await open();
    await door.listener.listenAlso('127.0.0.2');
    await door.listener.listenAlso('127.0.0.2');
    expect(door.listener.addresses).toEqual(['127.0.0.1', '127.0.0.2']);
    expect((await get(door, { host: '127.0.0.2' })).status).toBe(200);
  });

  it('names the port that is taken, and falls back when asked to', async () => {
    await open();
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    cleanups.push(() => squatter.close());
    const { port } = squatter.address() as AddressInfo;
    const other = await FrontDoor.open();
    cleanups.push(() => other.close());
    await expect(other.listener.listen('127.0.0.1', port)).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(`127.0.0.1:${port}`) as unknown,
    });
    const listening = await other.listener.listenWithFallback('127.0.0.1', port, 0);
    expect(listening.fellBack?.code).toBe('port_taken');
    expect(listening.port).not.toBe(port);
  });

  it('names an address that this machine does not have', async () => {
    await open();
    await expect(door.listener.listenAlso('192.0.2.1')).rejects.toMatchObject({ code: 'address_unavailable' });
  });

  it('gives clients the certificate of the name they ask for, and a replaced one without a restart', async () => {
    const certsDir = await mkdtemp(join(tmpdir(), 'reveille-door-'));
    cleanups.push(() => rm(certsDir, { recursive: true }));
    const authority = await TestAuthority.make();
    await authority.write(certsDir, ['app.test']);
    await authority.write(join(certsDir, 'shop.test'), ['shop.test']);
    const store = new CertificateStore({
      certsDir,
      clock: new SystemClock(),
      log: pino({ level: 'silent' }),
      settleMs: 20,
    });
    await store.start();
    cleanups.push(() => store.close());
    await open({ certificates: store });
    const print = async (servername: string): Promise<string> => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: door.port,
        ca: authority.ca,
        servername,
        checkServerIdentity: () => undefined,
      });
      await once(socket, 'secureConnect');
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      return createHash('sha256').update(raw).digest('hex');
    };
    const [byDefault, shop, nameless] = [await print('app.test'), await print('shop.test'), await print('')];
    expect(shop).not.toBe(byDefault);
    expect(nameless).toBe(byDefault);

    await authority.write(certsDir, ['app.test', 'new.test']);
    await vi.waitUntil(async () => (await print('app.test')) !== byDefault, { timeout: 5_000 });
    expect(await print('')).toBe(await print('new.test'));
    expect(await print('shop.test')).toBe(shop);
  });
});
