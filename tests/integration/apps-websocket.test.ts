import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, type RawData } from 'ws';
import { FrameParser } from '../../apps/shared/websocket/frame-parser.js';
import { encodeFrame, OPCODE, type Frame } from '../../apps/shared/websocket/frames.js';
import { runApp, type AppProcess } from '../support/set-ups/app-process.ts';

let backend: AppProcess;
beforeAll(async () => {
  backend = await runApp('backend', { REVEILLE_DOMAIN: 'alkimia.localhost' });
});
afterAll(async () => {
  await backend.end();
});

const url = (path = '/ws?every=0'): string => `ws://127.0.0.1:${backend.port}${path}`;
const mask = Buffer.from([9, 8, 7, 6]);
const masked = (opcode: number, payload: string | Buffer, fin = true): Buffer =>
  encodeFrame(opcode, Buffer.from(payload), { mask, fin });

async function open(path?: string): Promise<WebSocket> {
  const socket = new WebSocket(url(path), { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

/** A client that says whatever it is told to, and gives the frames that come back until the server hangs up or `count` came. */
async function exchange(bytes: Buffer, count = Infinity): Promise<Frame[]> {
  const socket: Socket = connect(backend.port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  const handshake = 'GET /ws?every=0 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
  // Right behind the handshake, so that the first frames come together with it.
  socket.write(Buffer.concat([Buffer.from(handshake + key), bytes]));
  const parser = new FrameParser({ maxPayloadBytes: 2 ** 22, expectMask: false });
  const frames: Frame[] = [];
  let head = Buffer.alloc(0);
  let upgraded = false;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let rest = chunk;
    if (!upgraded) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      expect(head.toString('latin1', 0, end)).toContain('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
      upgraded = true;
      rest = head.subarray(end + 4);
    }
    frames.push(...parser.push(rest));
    if (frames.length >= count) break;
  }
  socket.destroy();
  return frames;
}

const closeCode = (frame: Frame | undefined): number | undefined =>
  frame?.opcode === OPCODE.CLOSE ? frame.payload.readUInt16BE(0) : undefined;

describe('/ws', () => {
  it('sends back ten thousand random messages byte for byte', async () => {
    const socket = await open();
    const sent = Array.from({ length: 10_000 }, (_, index) => randomBytes(index % 700));
    const received: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: RawData) => {
        received.push(data as Buffer);
        if (received.length === sent.length) resolve();
      });
    });
    for (const message of sent) socket.send(message);
    await all;
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
    socket.close(1000, 'done');
    expect((await once(socket, 'close'))[0]).toBe(1000);
  });

  it('says which instance is there, again and again', async () => {
    const socket = new WebSocket(url('/ws?every=50'));
    const texts: string[] = [];
    await new Promise<void>((resolve) =>
      socket.on('message', (data: RawData) => {
        texts.push((data as Buffer).toString());
        if (texts.length === 3) resolve();
      }),
    );
    socket.terminate();
    const messages = texts
      .slice(0, 3)
      .map((text) => JSON.parse(text) as { type: string; instance: string; count: number });
    expect(messages.map(({ type, count }) => [type, count])).toEqual([
      ['welcome', 0],
      ['tick', 1],
      ['tick', 2],
    ]);
    expect(messages[0]).toMatchObject({ instance: 'backend-1' });
  });

  it('joins fragments, with a ping in between', async () => {
    const frames = await exchange(
      Buffer.concat([
        masked(OPCODE.TEXT, 'Good ', false),
        masked(OPCODE.PING, 'p'),
        masked(OPCODE.CONTINUATION, 'mor', false),
        masked(OPCODE.CONTINUATION, 'ning'),
        masked(OPCODE.CLOSE, Buffer.from([0x03, 0xe8])),
      ]),
    );
    expect(frames.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
      [OPCODE.PONG, 'p'],
      [OPCODE.TEXT, 'Good morning'],
      [OPCODE.CLOSE, '\u0003\ufffd'],
    ]);
  });

  it('carries a message of exactly one mebibyte', async () => {
    const payload = randomBytes(1024 * 1024);
    const [frame] = await exchange(masked(OPCODE.BINARY, payload), 1);
    expect(frame?.payload.equals(payload)).toBe(true);
  });

  it.each([
    ['a message above one mebibyte', masked(OPCODE.BINARY, Buffer.alloc(1024 * 1024 + 1)), 1009],
    [
      'fragments above one mebibyte',
      Buffer.concat([masked(OPCODE.BINARY, Buffer.alloc(2 ** 20), false), masked(OPCODE.CONTINUATION, 'x')]),
      1009,
    ],
    ['an unmasked frame', encodeFrame(OPCODE.TEXT, Buffer.from('x')), 1002],
    ['text that is not UTF-8', masked(OPCODE.TEXT, Buffer.from([0xff])), 1007],
    ['a close code that may not be sent', masked(OPCODE.CLOSE, Buffer.from([0x03, 0xed])), 1002],
    ['a close frame of one byte', masked(OPCODE.CLOSE, 'x'), 1002],
  ])('closes for %s', async (_what, bytes, code) => {
    expect(closeCode((await exchange(bytes)).at(-1))).toBe(code);
  });

  it('does not read on from a client that does not read', async () => {
    const socket = connect(backend.port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.pause();
    socket.write('GET /ws?every=0 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n');
    socket.write('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
    const frame = masked(OPCODE.BINARY, Buffer.alloc(256 * 1024));
    let written = 0;
    // The buffers of the system take some megabytes; without back-pressure, the server would take all 128.
    while (written < 512 && socket.write(frame)) written++;
    for (; written < 512; written++) {
      const drained = await Promise.race([
        once(socket, 'drain').then(() => true),
        new Promise<false>((resolve) => setTimeout(resolve, 500, false)),
      ]);
      if (!drained) break;
      socket.write(frame);
    }
    socket.destroy();
    expect(written).toBeLessThan(200);
  });

  it.each([
    ['another path', '/nowhere', {}, 404],
    ['a foreign page', '/ws', { origin: 'https://evil.example' }, 403],
    ['a bad parameter', '/ws?every=x', {}, 400],
    ['another protocol', '/ws', { upgrade: 'h2c' }, 426],
    ['a bad key', '/ws', { 'sec-websocket-key': 'short' }, 400],
    ['another version', '/ws', { 'sec-websocket-version': '8' }, 426],
  ])('refuses %s with a normal answer', async (_what, path, headers, status) => {
    const handshake = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    };
    const request = get(`${backend.origin}${path}`, { headers: { ...handshake, ...headers } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(status);
    expect(JSON.parse(Buffer.concat((await response.toArray()) as Buffer[]).toString())).toMatchObject({ status });
  });

  it('takes pages of its own domain', async () => {
    const socket = new WebSocket(url(), { headers: { origin: 'https://app.alkimia.localhost:8443' } });
    await once(socket, 'open');
    socket.terminate();
  });
});
