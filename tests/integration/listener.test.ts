import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { CertificateStore } from '../../src/tls/certificate-store.ts';
import { FrontDoor } from '../support/front-door.ts';
import { RawClient } from '../support/raw-client.ts';
import { frame, framesOf, headers, PREFACE } from '../support/raw-http2.ts';
import { TestAuthority } from '../support/test-certificate.ts';

let door: FrontDoor;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await door.close();
});

async function open(options?: Parameters<typeof FrontDoor.open>[0]): Promise<FrontDoor> {
  door = await FrontDoor.open(options);
  return door;
}

function get(
  options: RequestOptions = {},
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { ...door.client, headers: { host: 'app.test' }, agent: false, ...options },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end();
  });
}

async function http2(): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://app.test:${door.port}`, {
    ...door.client,
    host: undefined,
    lookup: undefined,
    createConnection: () => connectTls({ ...door.client, ALPNProtocols: ['h2'] }),
  } as never);
  session.on('error', () => undefined);
  cleanups.push(() => session.destroy());
  await once(session, 'connect');
  return session;
}

function get2(session: ClientHttp2Session, path = '/'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':authority': 'app.test' });
    let status = 0;
    let body = '';
    stream.on('response', (fields) => (status = Number(fields[':status'])));
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    stream.on('end', () => resolve({ status, body }));
    stream.on('error', reject);
    stream.end();
  });
}

async function tls(options: object = {}): Promise<TLSSocket> {
  const socket = connectTls({ ...door.client, ...options });
  cleanups.push(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

describe('the front door', () => {
  it('speaks HTTP/1.1 and HTTP/2 on one port, as ALPN decides', async () => {
    await open();
    expect(await get({ path: '/one' })).toMatchObject({ status: 200, body: 'app.test /one' });
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
    expect((await get()).status).toBe(200);
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
    expect((await get({ servername: '' })).status).toBe(200);
    expect(door.exchanges[0]?.serverName).toBeUndefined();
    const plain = await RawClient.tcp(door.port);
    plain.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await plain.untilClosed();
    expect((await get()).status).toBe(200);
  });

  it('listens on one more address with the same port', async () => {
    await open();
    await door.listener.listenAlso('127.0.0.2');
    await door.listener.listenAlso('127.0.0.2');
    expect(door.listener.addresses).toEqual(['127.0.0.1', '127.0.0.2']);
    expect((await get({ host: '127.0.0.2' })).status).toBe(200);
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

describe('limits of the front door', () => {
  it('closes connections that drip their head, while a normal client is served at once', async () => {
    await open({ limits: { headersTimeoutMs: 1_000, checkEveryMs: 100 } });
    const drip = await Promise.all(Array.from({ length: 100 }, () => RawClient.tls(door.client)));
    const began = performance.now();
    for (const client of drip) client.send('GET / HTTP/1.1\r\nHost: app.test\r\n');
    const timer = setInterval(() => drip.forEach((client) => client.closed || client.send('X: y\r\n')), 50);
    cleanups.push(() => clearInterval(timer));
    const before = performance.now();
    expect((await get()).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(500);
    const answers = await Promise.all(drip.map((client) => client.untilClosed()));
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 408 '))).toHaveLength(100);
    expect(door.refusals.every(({ code }) => code === 'request_timeout')).toBe(true);
  });

  it('closes connections that say nothing, before and after the handshake', async () => {
    await open({ limits: { handshakeTimeoutMs: 200, headersTimeoutMs: 200, checkEveryMs: 50 } });
    const silent = await RawClient.tcp(door.port);
    const encrypted = await RawClient.tls(door.client);
    const preface = await RawClient.tls({ ...door.client, ALPNProtocols: ['h2'] });
    await Promise.all([silent.untilClosed(), encrypted.untilClosed(), preface.untilClosed()]);
    await vi.waitUntil(() => door.listener.counts.open === 0);
  });

  it('closes idle connections and sessions, but not those in use', async () => {
    let finish = (): void => undefined;
    await open({
      limits: { keepAliveTimeoutMs: 150, sessionIdleTimeoutMs: 150 },
      onExchange: (exchange) => {
        if (exchange.target === '/long') finish = () => exchange.respond(200, [], 'late');
        else exchange.respond(200, [], 'done');
      },
    });
    const session = await http2();
    const long = get2(session, '/long');
    const idle = await http2();
    await get2(idle);
    const client = await RawClient.tls(door.client);
    client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await Promise.all([client.untilClosed(), once(idle, 'close')]);
    expect(session.closed).toBe(false);
    finish();
    expect(await long).toEqual({ status: 200, body: 'late' });
    await once(session, 'close');
  });

  it('bounds the connections of one client, but not those of a trusted proxy', async () => {
    let trusted = false;
    await open({ limits: { maxConnectionsPerAddress: 3 }, trusted: () => trusted });
    await Promise.all([tls(), tls(), tls()]);
    await expect(tls()).rejects.toThrow();
    expect(door.listener.counts).toMatchObject({ open: 3, turnedAway: 1 });
    trusted = true;
    await tls();
  });

  it('survives a client that resets streams as fast as it can, and other clients do not notice', async () => {
    await open({ limits: { streamResetBurst: 100, streamResetRate: 10 }, onExchange: () => undefined });
    const attacker = await RawClient.tls({ ...door.client, ALPNProtocols: ['h2'] });
    attacker.socket.write(PREFACE);
    const fields: [string, string][] = [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'app.test'],
      [':path', '/'],
    ];
    const frames: Buffer[] = [];
    for (let stream = 1; stream < 20_000; stream += 2)
      frames.push(headers(stream, fields), frame(3, 0, stream, Buffer.from([0, 0, 0, 8])));
    attacker.socket.write(Buffer.concat(frames));
    await attacker.untilClosed();
    expect(framesOf(attacker).some(({ type }) => type === 7)).toBe(true);
    expect(door.exchanges.length).toBeLessThan(10_000);
    await vi.waitUntil(() => door.exchanges.every(({ abandoned }) => abandoned));
    expect(door.listener.counts.sessions).toBe(0);
  });

  it.each([
    ['PING', frame(6, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', frame(4, 0, 0)],
  ])('ends a session that floods it with %s', async (_what, bytes) => {
    await open({ limits: { maxControlFrames: 50 } });
    const client = await RawClient.tls({ ...door.client, ALPNProtocols: ['h2'] });
    client.socket.write(Buffer.concat([PREFACE, ...Array<Buffer>(500).fill(bytes)]));
    await client.untilClosed();
    const goaway = framesOf(client).find(({ type }) => type === 7);
    expect(goaway?.payload.readUInt32BE(4)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  it('bounds the concurrent streams of a session', async () => {
    await open({ limits: { maxConcurrentStreams: 5 } });
    const session = await http2();
    await vi.waitUntil(() => session.remoteSettings.maxConcurrentStreams === 5);
    expect(session.remoteSettings.enableConnectProtocol).toBe(false);
  });

  it('answers too many header fields of HTTP/2 with 431', async () => {
    await open({ limits: { maxHeaderFields: 20 } });
    const session = await http2();
    const stream = session.request(
      Object.fromEntries([[':path', '/'], ...Array.from({ length: 25 }, (_, n) => [`x-${n}`, 'y'])]) as never,
    );
    const [fields] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(fields[':status']).toBe(431);
  });
});

describe('draining', () => {
  it('lets requests finish, refuses new connections, and announces the end', async () => {
    const finishes: (() => void)[] = [];
    await open({ onExchange: (exchange) => void finishes.push(() => exchange.respond(200, [], 'finished')) });
    const session = await http2();
    const second = get2(session);
    const first = get();
    await vi.waitUntil(() => finishes.length === 2);
    const drained = door.listener.drain({ timeoutMs: 5_000, announceMs: 0 });
    await expect(get()).rejects.toThrow();
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
    const slow = get().catch((error: unknown) => error);
    const slow2 = get2(await http2()).catch((error: unknown) => error);
    await vi.waitUntil(() => door.exchanges.length === 3);
    await door.listener.drain({ timeoutMs: 100, announceMs: 0 });
    await socket.untilClosed();
    expect(await slow).toBeInstanceOf(Error);
    await slow2;
    expect(door.listener.counts).toMatchObject({ open: 0, http1: 0, sessions: 0 });
  });
});
