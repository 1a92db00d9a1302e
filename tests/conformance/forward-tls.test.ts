import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import type { ForwardResult } from '../../src/proxy/forward/forward-result.ts';
import { Forwarder } from '../../src/proxy/forward/forwarder.ts';
import { FrontDoor } from '../support/set-ups/front-door.ts';
import type { UpstreamScript } from '../support/upstreams/upstream.ts';
import { RawUpstream, textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The real front door before the real forwarder. */
async function setUp(script: UpstreamScript) {
  const upstream = await new RawUpstream(script).start();
  const forwarder = new Forwarder({ clock: new SystemClock(), limits: { tickMs: 10 } });
  const results: ForwardResult[] = [];
  const note = (forwarding: Promise<ForwardResult>): void => {
    forwarding.then(
      (result) => results.push(result),
      () => undefined,
    );
  };
  const door = await FrontDoor.open({
    onExchange: (exchange) => note(forwarder.forward(exchange, upstream.endpoint)),
    onUpgrade: (exchange) => note(forwarder.upgrade(exchange, upstream.endpoint)),
  });
  closers.push(
    () => upstream.close(),
    () => door.close(),
    () => forwarder.close(),
  );
  return { upstream, forwarder, door, results };
}

async function connectClient(door: FrontDoor, allowHalfOpen = false): Promise<BytePeer> {
  const peer = await BytePeer.tls(door.client);
  peer.socket.allowHalfOpen = allowHalfOpen;
  closers.push(() => peer.destroy());
  return peer;
}

const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';
const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n';
const ACCEPTED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

describe('over TLS', () => {
  it('a response passes over HTTP/1.1 and HTTP/2', async () => {
    const { door } = await setUp((peer) => peer.send(textResponse('ok')));
    const client = await connectClient(door);
    client.send(GET);
    expect(await client.receive('ok')).toContain('HTTP/1.1 200 OK');
    const session = connectHttp2('https://app.test', {
      createConnection: () => connectTls({ ...door.client, ALPNProtocols: ['h2'] }),
    });
    closers.push(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    stream.setEncoding('utf8');
    let content = '';
    for await (const text of stream) content += text as string;
    expect(content).toBe('ok');
  });

  it.each([
    ['length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc'],
  ])('an upstream that dies in the middle of its %s is seen as an abort within a second', async (_what, response) => {
    const { door, upstream } = await setUp((peer) => peer.send(response));
    const client = await connectClient(door);
    client.send(GET);
    await client.receive('abc');
    upstream.peers[0]!.destroy();
    await client.untilClosed();
    expect(client.received).not.toMatch(/0\r\n\r\n$/);

    const session = connectHttp2('https://app.test', {
      createConnection: () => connectTls({ ...door.client, ALPNProtocols: ['h2'] }),
    });
    closers.push(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    let ended = false;
    stream.on('error', () => undefined).on('end', () => (ended = true));
    stream.on('data', () => upstream.peers[1]?.destroy());
    await until(() => stream.closed);
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    expect(ended).toBe(false);
    expect(session.closed).toBe(false);
  });

  it('a client that leaves takes the upstream connection with it', async () => {
    const { door, upstream, results } = await setUp(() => undefined);
    const client = await connectClient(door);
    client.send(GET);
    await until(() => upstream.heads.length === 1);
    client.destroy();
    await until(() => upstream.open === 0, { interval: 2 });
    await until(() => results[0]?.outcome === 'abandoned');
  });

  it('an answer to an upload that goes on reaches the client whole', async () => {
    const { door } = await setUp((peer) => peer.send('HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\nenough'));
    const client = await connectClient(door);
    client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\n');
    client.socket.write(Buffer.alloc(500_000));
    await client.receive('enough');
    await client.untilClosed();
    expect(client.ending).toBe('fin');
  });

  it('a WebSocket carries bytes and a half-close both ways', async () => {
    const { door, upstream, forwarder } = await setUp((peer) => peer.send(`${ACCEPTED}hello`));
    const client = await connectClient(door, true);
    client.send(HANDSHAKE);
    await client.receive(/101 [^]*hello/);
    const inside = upstream.peers[0]!;
    client.socket.end('last words');
    await inside.receive('last words');
    await until(() => inside.ending === 'fin');
    inside.send('still here');
    await client.receive('still here');
    inside.socket.end();
    await until(() => forwarder.inFlight === 0);
  });

  it('a WebSocket client that is cut is felt upstream', async () => {
    const { door, upstream, forwarder } = await setUp((peer) => peer.send(ACCEPTED));
    const client = await connectClient(door);
    client.send(HANDSHAKE);
    await client.receive('101');
    client.destroy();
    await upstream.peers[0]!.untilClosed();
    upstream.peers[0]!.destroy();
    await until(() => forwarder.inFlight === 0);
  });
});
