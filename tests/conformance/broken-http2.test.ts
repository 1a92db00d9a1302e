import { afterEach, describe, expect, it } from 'vitest';
import { awakeView } from '../support/samples/service-view.ts';
import { dataHalfSetUp, type OpenDataHalf } from '../support/set-ups/data-half-set-up.ts';
import { until } from '../support/until.ts';
import { RawUpstream, type UpstreamScript } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { FRAME, frame, headers, PREFACE, readFrames } from '../support/wire/http2-frames.ts';

const ACK = 1;
const PADDED = 8;

function request(path: string, method = 'GET'): Buffer {
  const fields = [
    [':method', method],
    [':scheme', 'https'],
    [':authority', 'app.test'],
    [':path', path],
  ] as const;
  return headers(1, fields, method === 'GET');
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Errors of a connection (RFC 9113 5.4.1), and what comes behind the request on stream 1 to make them. */
const errors: readonly (readonly [string, Buffer])[] = [
  ['content on stream 0', frame(FRAME.data, 0, 0, Buffer.from('x'))],
  ['content on a stream that is idle', frame(FRAME.data, 0, 9, Buffer.from('x'))],
  ['content behind the end of a request', frame(FRAME.data, 0, 1, Buffer.from('x'))],
  ['content of more than a frame may hold', frame(FRAME.data, 0, 1, Buffer.alloc(17_000))],
  ['more padding than content', frame(FRAME.data, PADDED, 1, Buffer.from([9]))],
  ['fields that are not HPACK', frame(FRAME.headers, 5, 3, Buffer.alloc(6, 0xff))],
  ['fields from beyond the table', frame(FRAME.headers, 5, 3, Buffer.from([0xcf]))],
  [
    'fields that something else interrupts',
    Buffer.concat([frame(FRAME.headers, 0, 3, Buffer.from([0x82])), frame(FRAME.ping, 0, 0, Buffer.alloc(8))]),
  ],
  ['a continuation of nothing', frame(FRAME.continuation, 4, 1, Buffer.from([0x82]))],
  ['a PING of seven bytes', frame(FRAME.ping, 0, 0, Buffer.alloc(7))],
  ['a PING on a stream', frame(FRAME.ping, 0, 1, Buffer.alloc(8))],
  ['an acknowledgement of a PING that nobody sent', frame(FRAME.ping, ACK, 0, Buffer.alloc(8))],
  ['SETTINGS of five bytes', frame(FRAME.settings, 0, 0, Buffer.alloc(5))],
  ['an acknowledgement that has SETTINGS', frame(FRAME.settings, ACK, 0, Buffer.alloc(6))],
  ['a window of too much', frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), number(0x80000000)]))],
  ['a window that grows by three bytes of a number', frame(FRAME.windowUpdate, 0, 1, Buffer.alloc(3))],
  ['a window of the connection that grows by nothing', frame(FRAME.windowUpdate, 0, 0, number(0))],
  ['a reset with three bytes of a reason', frame(FRAME.reset, 0, 1, Buffer.alloc(3))],
  ['a reset of a stream that is idle', frame(FRAME.reset, 0, 9, number(8))],
  ['a GOAWAY of three bytes', frame(FRAME.goaway, 0, 0, Buffer.alloc(3))],
  ['a GOAWAY with a reason', frame(FRAME.goaway, 0, 0, Buffer.concat([number(0), number(1)]))],
  ['HTTP/1', Buffer.from('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'.repeat(2))],
];

describe('an HTTP/2 client that breaks off', () => {
  const setUp = dataHalfSetUp();
  const open: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  async function start(script: UpstreamScript): Promise<{ upstream: RawUpstream; half: OpenDataHalf }> {
    const upstream = await new RawUpstream(script).start();
    open.push(() => upstream.close());
    const half = await setUp([awakeView({ upstreams: [{ id: 'web-1', endpoints: { 3000: upstream.endpoint } }] })]);
    return { upstream, half };
  }

  async function connect({ client }: OpenDataHalf, first: Buffer): Promise<BytePeer> {
    const peer = await BytePeer.tls({ ...client, ALPNProtocols: ['h2'] });
    open.push(() => peer.destroy());
    peer.send(Buffer.concat([PREFACE, first]));
    return peer;
  }

  /** Breaks one connection in each way, and resolves with the ways whose request goes on upstream for ever. */
  async function afterErrors(method: string, answer: string): Promise<string[]> {
    const requests = new Map<string, BytePeer>();
    const { half } = await start((peer, head) => {
      requests.set(/^\S+ (\S+)/.exec(head)?.[1] ?? '', peer);
      peer.send(answer);
    });
    const clients = await Promise.all(errors.map((_, index) => connect(half, request(`/${index}`, method))));
    await until(() => requests.size === errors.length && half.link.inFlight.get('web-1') === errors.length);
    for (const [index, [, bytes]] of errors.entries()) clients[index]?.send(bytes);
    const left = (): string[] =>
      errors.flatMap(([what], at) => (requests.get(`/${at}`)?.gone === true && clients[at]?.gone === true ? [] : what));
    await until(() => left().length === 0 && half.link.inFlight.get('web-1') === 0).catch(() => undefined);
    return left();
  }

  it('by an error of the connection leaves no request behind that waits for its answer', async () => {
    expect(await afterErrors('GET', '')).toEqual([]);
  });

  it('by an error of the connection leaves no answer behind that goes on', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await afterErrors('GET', `${head}4\r\nmore\r\n`)).toEqual([]);
  });

  it('by vanishing behind an error leaves no request behind', async () => {
    const { upstream, half } = await start(() => undefined);
    const client = await connect(half, request('/'));
    await until(() => upstream.heads.length === 1);
    client.send(frame(FRAME.data, 0, 1, Buffer.from('x')));
    await until(() => readFrames(client.received).frames.some(({ type }) => type === FRAME.goaway));
    client.destroy();
    await until(() => half.link.inFlight.get('web-1') === 0 && upstream.open === 0);
  });

  it.each([
    ['without an error', 0],
    ['by CANCEL', 8],
  ])('by a reset %s of an answer that it has no window for ends it upstream', async (_how, code) => {
    const { upstream, half } = await start((peer) => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n');
      peer.send(Buffer.alloc(10_000_000));
    });
    const client = await connect(half, request('/'));
    // RFC 9113 6.9.2: the first window.
    await until(() => client.received.length > 65_535);
    client.send(frame(FRAME.reset, 0, 1, number(code)));
    await until(() => half.link.inFlight.get('web-1') === 0 && upstream.open === 0);
    expect(client.gone).toBe(false);
  });
});
