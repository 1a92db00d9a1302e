import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClientExchange } from '../../src/proxy/exchange/client-exchange.ts';
import { openHttp2, openTls } from '../support/clients/front-door-clients.ts';
import { FrontDoor } from '../support/set-ups/front-door.ts';
import { frame, headers, PREFACE } from '../support/wire/http2-frames.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const KB = 1024;
/** What one HTTP/2 connection may have sent that nobody has read. */
const SESSION_BYTES = 2_048 * KB;
const STREAM_BYTES = 256 * KB;
/** A frame more may be on its way when a window closes. */
const SLACK_BYTES = 64 * KB;
const UPLOAD = Buffer.alloc(400 * KB, 97);

/** A service that wakes, or an upstream that does not read: nobody reads these uploads before `read`. */
describe('uploads that nobody reads', () => {
  const open: { destroy(): void }[] = [];
  let door: FrontDoor;
  afterEach(async () => {
    for (const each of open.splice(0)) each.destroy();
    await door.close();
  });

  const held = (): number => door.exchanges.reduce((sum, { body }) => sum + body.readableLength, 0);

  function post(session: ClientHttp2Session): ClientHttp2Stream {
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'app.test' });
    stream.on('error', () => undefined);
    stream.end(UPLOAD);
    return stream;
  }

  async function session(): Promise<ClientHttp2Session> {
    const opened = await openHttp2(door);
    open.push(opened);
    await until(() => opened.remoteSettings.maxConcurrentStreams === 128);
    return opened;
  }

  it('take no more of an HTTP/2 connection than its window, however many streams, and come through whole later', async () => {
    door = await FrontDoor.open({ onExchange: () => undefined });
    const client = await session();
    const streams = Array.from({ length: 60 }, () => post(client));
    await until(() => door.exchanges.length === 60 && client.state.remoteWindowSize === 0);
    await until(() => held() >= SESSION_BYTES - SLACK_BYTES);
    expect(held()).toBeLessThanOrEqual(SESSION_BYTES + SLACK_BYTES);
    expect(Math.max(...door.exchanges.map(({ body }) => body.readableLength))).toBeLessThanOrEqual(STREAM_BYTES);
    const sizes = door.exchanges.map((exchange) => sizeOf(exchange));
    expect(await Promise.all(sizes)).toEqual(streams.map(() => UPLOAD.length));
    expect(held()).toBe(0);
  });

  it('give the window back when their clients leave', async () => {
    door = await FrontDoor.open({
      onExchange: (exchange) => {
        if (exchange.header('x-read') === undefined) return;
        void sizeOf(exchange).then((size) => exchange.respond(200, [], String(size)));
      },
    });
    const client = await session();
    const streams = Array.from({ length: 12 }, () => post(client));
    await until(() => door.exchanges.length === 12 && client.state.remoteWindowSize === 0);
    const waiting = client.request({ ':method': 'POST', ':path': '/', ':authority': 'app.test', 'x-read': '1' });
    waiting.setEncoding('latin1').end(UPLOAD);
    await until(() => door.exchanges.length === 13);
    for (const stream of streams) stream.destroy(new Error('The client leaves.'));
    let answer = '';
    for await (const text of waiting) answer += String(text);
    expect(answer).toBe(String(UPLOAD.length));
  });

  it('are given up when their clients leave, though nobody reads them', async () => {
    let abandoned = 0;
    door = await FrontDoor.open({
      onExchange: (exchange) => {
        exchange.watch({ onAbandoned: () => (abandoned += 1) });
        exchange.body.pause();
      },
    });
    const client = await BytePeer.tls({ ...door.client, ALPNProtocols: ['h2'] });
    open.push(client);
    const head = headers(
      1,
      [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'app.test'],
        [':path', '/'],
      ],
      false,
    );
    client.socket.write(Buffer.concat([PREFACE, head, frame(0, 0, 1, Buffer.alloc(1_000))]));
    await until(() => held() > 0);
    // A reset with NO_ERROR.
    client.socket.write(frame(3, 0, 1, Buffer.alloc(4)));
    await until(() => abandoned === 1 && door.exchanges.every(({ body }) => body.destroyed));
  });

  it('give the window back when they are answered unread', async () => {
    door = await FrontDoor.open({ onExchange: () => undefined });
    const client = await session();
    const streams = Array.from({ length: 12 }, () => post(client));
    await until(() => door.exchanges.length === 12 && client.state.remoteWindowSize === 0);
    const closed = streams.map((stream) => once(stream.resume(), 'close'));
    for (const exchange of door.exchanges) exchange.respond(503, [], 'no');
    await Promise.all(closed);
    post(client);
    await until(() => door.exchanges.length === 13);
    expect(await sizeOf(door.exchanges[12]!)).toBe(UPLOAD.length);
  });

  it('take little of an HTTP/1.1 connection', async () => {
    const connections = 10;
    door = await FrontDoor.open({ onExchange: () => undefined });
    const sockets = await Promise.all(Array.from({ length: connections }, () => openTls(door)));
    open.push(...sockets);
    const large = Buffer.alloc(20_000_000);
    for (const socket of sockets) {
      socket.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\n');
      socket.write(large);
    }
    await until(() => door.exchanges.length === connections);
    // The kernel holds the rest; of that, no byte is read any more.
    const isHeld = ({ body }: ClientExchange): boolean => {
      const { socket } = body as unknown as { socket: unknown };
      return socket instanceof Socket && socket.isPaused();
    };
    await until(() => door.exchanges.every(isHeld));
    for (const { body } of door.exchanges) expect(body.readableLength).toBeLessThanOrEqual(128 * KB);
  });
});

async function sizeOf({ body }: ClientExchange): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += (chunk as Buffer).length;
  return bytes;
}
