import { once } from 'node:events';
import { constants } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { get, get2 } from '../support/clients/front-door-clients.ts';
import { frontDoorSetUp } from '../support/set-ups/front-door-set-up.ts';
import { FRAME, frame, headers, PREFACE, readFrames } from '../support/wire/http2-frames.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const front = frontDoorSetUp();

describe('limits of the front door', () => {
  it('closes connections that drip their head, while a normal client is served at once', async () => {
    await front.open({ limits: { headersTimeoutMs: 1_000, checkEveryMs: 100 } });
    const began = performance.now();
    const beginToDrip = async (): Promise<BytePeer> => {
      const client = await BytePeer.tls(front.door.client);
      client.send('GET / HTTP/1.1\r\nHost: app.test\r\n');
      return client;
    };
    const drip = await Promise.all(Array.from({ length: 50 }, beginToDrip));
    const timer = setInterval(() => drip.forEach((client) => client.closed || client.send('X: y\r\n')), 50);
    onTestFinished(() => clearInterval(timer));
    expect((await get(front.door)).status).toBe(200);
    const answers = await Promise.all(drip.map((client) => client.untilClosed()));
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(new Set(front.door.refusals.map(({ code }) => code))).toEqual(new Set(['request_timeout']));
    // Whoever goes on sending after the close may lose the answer to a reset (RFC 9112 9.6), and who has sent nothing gets none.
    for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect(answers.join('')).toContain(' 408 ');
  });

  it('closes connections that say nothing, before and after the handshake', async () => {
    await front.open({ limits: { handshakeTimeoutMs: 200, headersTimeoutMs: 200, checkEveryMs: 50 } });
    const silent = await BytePeer.tcp(front.door.port);
    const encrypted = await BytePeer.tls(front.door.client);
    const preface = await BytePeer.tls({ ...front.door.client, ALPNProtocols: ['h2'] });
    await Promise.all([silent.untilClosed(), encrypted.untilClosed(), preface.untilClosed()]);
    await until(() => front.door.listener.counts.open === 0);
    expect([encrypted.received, front.door.refusals]).toEqual(['', []]);
  });

  it('closes connections that drip their handshake', async () => {
    await front.open({ limits: { handshakeTimeoutMs: 300 } });
    const client = await BytePeer.tcp(front.door.port);
    // The beginning of a ClientHello of 512 bytes.
    client.socket.write(Buffer.from('160301020001fc0303', 'hex'));
    const timer = setInterval(() => client.socket.write(Buffer.alloc(1)), 20);
    onTestFinished(() => clearInterval(timer));
    await client.untilClosed();
    await until(() => front.door.listener.counts.open === 0);
  });

  it('closes idle connections and sessions, but not those in use', async () => {
    let finish = (): void => undefined;
    await front.open({
      limits: { keepAliveTimeoutMs: 150, sessionIdleTimeoutMs: 150 },
      onExchange: (exchange) => {
        if (exchange.target === '/long') finish = () => exchange.respond(200, [], 'late');
        else exchange.respond(200, [], 'done');
      },
    });
    const session = await front.http2();
    const long = get2(session, '/long');
    const idle = await front.http2();
    await get2(idle);
    const client = await BytePeer.tls(front.door.client);
    client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await Promise.all([client.untilClosed(), once(idle, 'close')]);
    expect(session.closed).toBe(false);
    finish();
    expect(await long).toEqual({ status: 200, body: 'late' });
    await once(session, 'close');
  });

  it('bounds the connections of one client, but not those of a trusted proxy', async () => {
    let trusted = false;
    await front.open({ limits: { maxConnectionsPerAddress: 3 }, trusted: () => trusted });
    await Promise.all([front.tls(), front.tls(), front.tls()]);
    await expect(front.tls()).rejects.toThrow();
    expect(front.door.listener.counts).toMatchObject({ open: 3, turnedAway: 1 });
    trusted = true;
    await front.tls();
  });

  it('survives a client that resets streams as fast as it can, and other clients do not notice', async () => {
    await front.open({ limits: { streamResetBurst: 100, streamResetRate: 10 }, onExchange: () => undefined });
    const attacker = await BytePeer.tls({ ...front.door.client, ALPNProtocols: ['h2'] });
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
    expect(readFrames(attacker.received).frames.some(({ type }) => type === FRAME.goaway)).toBe(true);
    expect(front.door.exchanges.length).toBeLessThan(10_000);
    await until(() => front.door.exchanges.every(({ abandoned }) => abandoned));
    await until(() => front.door.listener.counts.sessions === 0);
  });

  it.each([
    ['PING', frame(6, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', frame(4, 0, 0)],
  ])('ends a session that floods it with %s', async (_what, bytes) => {
    await front.open({ limits: { maxControlFrames: 50 } });
    const client = await BytePeer.tls({ ...front.door.client, ALPNProtocols: ['h2'] });
    client.socket.write(Buffer.concat([PREFACE, ...Array<Buffer>(500).fill(bytes)]));
    await client.untilClosed();
    const goaway = readFrames(client.received).frames.find(({ type }) => type === FRAME.goaway);
    expect(goaway?.payload.readUInt32BE(4)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  it('bounds the concurrent streams of a session', async () => {
    await front.open({ limits: { maxConcurrentStreams: 5 } });
    const session = await front.http2();
    await until(() => session.remoteSettings.maxConcurrentStreams === 5);
    expect(session.remoteSettings.enableConnectProtocol).toBe(false);
  });

  it('answers too many header fields of HTTP/2 with 431', async () => {
    await front.open({ limits: { maxHeaderFields: 20 } });
    const session = await front.http2();
    const stream = session.request(
      Object.fromEntries([[':path', '/'], ...Array.from({ length: 25 }, (_, n) => [`x-${n}`, 'y'])]) as never,
    );
    const [fields] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(fields[':status']).toBe(431);
  });
});
