import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { CertificateStore } from '../../src/tls/certificate-store.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { get, get2 } from '../support/clients/front-door-clients.ts';
import { FrontDoor } from '../support/set-ups/front-door.ts';
import { frontDoorSetUp } from '../support/set-ups/front-door-set-up.ts';
import { TestAuthority } from '../support/test-certificate.ts';
import { listenWithFallback } from '../../src/proxy/listen/listening.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until, untilPasses } from '../support/until.ts';

const front = frontDoorSetUp();

describe('the front door', () => {
  it('speaks HTTP/1.1 and HTTP/2 on one port, as ALPN decides', async () => {
    await front.open();
    expect(await get(front.door, { path: '/one' })).toMatchObject({ status: 200, body: 'app.test /one' });
    expect(await get2(await front.http2(), '/two')).toEqual({ status: 200, body: 'app.test /two' });
    expect(
      front.door.exchanges.map(({ httpVersion, serverName, remoteAddress, secure }) => [
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
    await front.open();
    const client = await BytePeer.tls(front.door.client);
    for (const path of ['/1', '/2', '/3']) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`);
      await client.receive(`app.test ${path}`);
    }
    expect(front.door.listener.counts).toMatchObject({ open: 1, http1: 1, sessions: 0 });
    client.destroy();
    await until(() => front.door.listener.counts.open === 0);
    expect(front.door.listener.counts.http1).toBe(0);
  });

  it('speaks TLS 1.2 and 1.3 with forward secrecy, and nothing older', async () => {
    await front.open();
    expect((await front.tls({ maxVersion: 'TLSv1.2' })).getCipher().name).toMatch(/^ECDHE-.*(GCM|CHACHA20)/);
    expect((await front.tls()).getProtocol()).toBe('TLSv1.3');
    await expect(
      front.tls({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    ).rejects.toThrow();
    await expect(front.tls({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA' })).rejects.toThrow();
    await expect(front.tls({ ALPNProtocols: ['spdy/3'] })).rejects.toThrow();
    expect((await get(front.door)).status).toBe(200);
  });

  it('keeps no buffers for a connection that is idle', async () => {
    await front.open();
    const connections = 50;
    const use = async (): Promise<void> => {
      const client = connectTls({ ...front.door.client });
      client.on('error', () => undefined);
      onTestFinished(() => void client.destroy());
      await once(client, 'secureConnect');
      // What others do meanwhile: whatever stays of this connection in the pool of buffers keeps their share too.
      for (let used = 0; used <= Buffer.poolSize; used += 1_024) Buffer.allocUnsafe(1_024);
    };
    await use();
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let opened = 0; opened < connections; opened += 1) await use();
    // What was collected is given back by a thread of its own, on a busy machine a while later.
    await untilPasses(() => {
      collectGarbage();
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((connections * Buffer.poolSize) / 2);
    });
  });

  it('resumes TLS sessions', async () => {
    await front.open();
    const first = connectTls({ ...front.door.client });
    first.on('error', () => undefined);
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    expect((await front.tls({ session })).isSessionReused()).toBe(true);
  });

  it('answers a client that sends no name, and survives what is no TLS', async () => {
    await front.open();
    expect((await get(front.door, { servername: '' })).status).toBe(200);
    expect(front.door.exchanges[0]?.serverName).toBeUndefined();
    const plain = await BytePeer.tcp(front.door.port);
    plain.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await plain.untilClosed();
    expect((await get(front.door)).status).toBe(200);
  });

  it('listens on one more address with the same port', async () => {
    await front.open();
    await front.door.listener.listenAlso('127.0.0.2');
    await front.door.listener.listenAlso('127.0.0.2');
    expect(front.door.listener.addresses).toEqual(['127.0.0.1', '127.0.0.2']);
    expect((await get(front.door, { host: '127.0.0.2' })).status).toBe(200);
  });

  it('names the port that is taken, and falls back when asked to', async () => {
    await front.open();
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    onTestFinished(() => void squatter.close());
    const { port } = squatter.address() as AddressInfo;
    const other = await FrontDoor.open();
    onTestFinished(() => other.close());
    await expect(other.listener.listen('127.0.0.1', port)).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(`127.0.0.1:${port}`) as unknown,
    });
    const listening = await listenWithFallback(other.listener, '127.0.0.1', port, 0);
    expect(listening.fellBack?.code).toBe('port_taken');
    expect(listening.port).not.toBe(port);
  });

  it('names an address that this machine does not have', async () => {
    await front.open();
    await expect(front.door.listener.listenAlso('192.0.2.1')).rejects.toMatchObject({ code: 'address_unavailable' });
  });

  it('gives clients the certificate of the name they ask for, and a replaced one without a restart', async () => {
    const certsDir = await mkdtemp(join(tmpdir(), 'reveille-door-'));
    onTestFinished(() => rm(certsDir, { recursive: true }));
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
    onTestFinished(() => store.close());
    await front.open({ certificates: store });
    const print = async (servername: string): Promise<string> => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: front.door.port,
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
    await until(async () => (await print('app.test')) !== byDefault);
    expect(await print('')).toBe(await print('new.test'));
    expect(await print('shop.test')).toBe(shop);
  });
});
