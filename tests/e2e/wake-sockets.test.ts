import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { get2 } from '../support/clients/https-client.ts';

const hasDocker = await dockerAvailable();
const FRAMES = 10_000;

describe.skipIf(!hasDocker)('the front door of sleeping services', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    const image = await fixtureImage();
    const env = { READY_AFTER_MS: 800 };
    daemon = await Daemon.start({
      services: { socket: { routes: ['socket'], image, env }, multiplexed: { routes: ['multiplexed'], image } },
    });
  });

  afterAll(() => daemon.dispose());

  it('holds a WebSocket during the start and carries 10 000 random frames unchanged (scenario 16)', async () => {
    const socket = await daemon.client.webSocket(daemon.host('socket'), '/ws');
    const sent = Array.from({ length: FRAMES }, randomFrame);

    const received = await echoed(socket, sent);

    expect(received).toHaveLength(FRAMES);
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
    expect(received.every((frame, n) => frame.length === sent[n]?.length)).toBe(true);
    expect(daemon.events('wake.requested', 'socket')).toHaveLength(1);
    socket.close();
    await once(socket, 'close');
  }, 60_000);

  it.each([401, 302, 500])('relays an upgrade that the service refuses with %i (scenario 17)', async (status) => {
    const answer = await daemon.client.refusedWebSocket(daemon.host('socket'), `/ws?status=${status}`);

    expect(answer.status).toBe(status);
    expect(answer.body).toBe(`refused with ${status}`);
    if (status === 302) expect(answer.headers.location).toBe('/elsewhere');
    expect((await daemon.ask('socket')).status).toBe(200);
  });

  it('wakes a service over HTTP/2 once for all streams of a session', async () => {
    const session = await daemon.client.http2(daemon.host('multiplexed'));

    const answers = await Promise.all(Array.from({ length: 20 }, () => get2(session)));

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(daemon.events('wake.requested', 'multiplexed')).toHaveLength(1);
    session.close();
  });

  it('answers an unknown host 404 over HTTP/1.1 and HTTP/2 and starts nothing (scenario 24)', async () => {
    const wakes = daemon.events('wake.requested').length;
    const session = await daemon.client.http2(daemon.host('stranger'));
    const h2 = await get2(session);
    session.close();
    const h1 = await daemon.ask('stranger');

    expect([h1.status, h2.status]).toEqual([404, 404]);
    expect(h1.json()).toMatchObject({ code: 'unknown_host', status: 404 });
    expect(JSON.parse(h2.body)).toMatchObject({ code: 'unknown_host' });
    expect(daemon.events('wake.requested')).toHaveLength(wakes);
  });

  it('serves a client that names no host in TLS with the default certificate (scenario 24)', async () => {
    const socket = connectTls({ host: '127.0.0.1', port: daemon.up.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { subjectaltname } = socket.getPeerCertificate();

    const text = await exchange(
      socket,
      `GET / HTTP/1.1\r\nHost: ${daemon.host('socket')}\r\nConnection: close\r\n\r\n`,
    );

    expect(subjectaltname).toContain(`DNS:*.${daemon.domain}`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

function randomFrame(): Buffer {
  // All three ways in which RFC 6455 writes a length, the short ones more often.
  const most = [125, 125, 1000, 1000, 66_000][randomInt(5)] ?? 125;
  return randomBytes(randomInt(most));
}

/** Sends all frames with at most so many on the way that nothing piles up, and resolves with what came back. */
async function echoed(socket: WebSocket, frames: readonly Buffer[]): Promise<Buffer[]> {
  const received: Buffer[] = [];
  const window = 200;
  return new Promise((resolve, reject) => {
    let next = 0;
    const send = (): void => {
      while (next < frames.length && next - received.length < window) socket.send(frames[next++] ?? '');
    };
    socket.on('message', (data: Buffer) => {
      received.push(data);
      if (received.length === frames.length) resolve(received);
      else send();
    });
    socket.on('close', () => reject(new Error(`the socket closed after ${received.length} frames`)));
    send();
  });
}

async function exchange(socket: TLSSocket, request: string): Promise<string> {
  socket.write(request);
  return (await socket.toArray()).join('');
}
