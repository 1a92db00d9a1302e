import { describe, expect, it } from 'vitest';
import type { ClientExchange } from '../../src/proxy/exchange/client-exchange.ts';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { frontDoorSetUp } from '../support/set-ups/front-door-set-up.ts';
import { textResponse } from '../support/upstreams/upstream.ts';
import { until } from '../support/until.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`;
const LARGE = 'B'.repeat(1_000_000);
/** More than the buffers of both kernels take. */
const ENDLESS = Buffer.alloc(30_000_000, 'E');
const PATIENCE_MS = 100;

describe('an answer that waits behind another one of its pipeline (RFC 9112 9.3.2)', () => {
  const setUp = forwardingSetUp();

  it('has its 100 before its head, not in its content (RFC 9110 15.2)', async () => {
    const content = 'B'.repeat(9_000);
    let first: BytePeer | undefined;
    const { front } = await setUp((peer, head) => {
      if (head.startsWith('GET /first')) first = peer;
      else if (head.startsWith('GET /last')) peer.send(textResponse('last'));
      else {
        peer.send('HTTP/1.1 100 Continue\r\n\r\n');
        void peer.until('brought').then(() => peer.send(textResponse(content)));
      }
    });
    const client = await BytePeer.tcp(front.port);
    const put = 'PUT / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\nbrought';
    client.send(`${get('/first')}${put}${get('/last')}`);
    await until(() => front.results.length === 2 && first !== undefined);
    first?.send(textResponse('first'));
    const received = await client.receive(/last$/);
    client.destroy();

    const heads = received.replaceAll(content, '').match(/HTTP\/1\.1 \d+/g);
    expect(heads).toEqual(['HTTP/1.1 200', 'HTTP/1.1 100', 'HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(received).toContain(`\r\n\r\n${content}HTTP/1.1 200`);
  });

  it('leaves those in front whole when it breaks off', async () => {
    let first: BytePeer | undefined;
    const { front } = await setUp((peer, head) => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\nthe first ');
      if (head.startsWith('GET /first')) first = peer;
      else peer.socket.resetAndDestroy();
    });
    const client = await BytePeer.tcp(front.port);
    client.send(`${get('/first')}${get('/second')}`);
    await until(() => front.results.some(({ outcome }) => outcome === 'upstream_aborted') && first !== undefined);
    first?.send('is all of it');
    const received = await client.untilClosed();

    expect(received.split('HTTP/1.1')).toHaveLength(2);
    expect(received).toMatch(/the first is all of it$/);
  });

  it('may be large: its client has its time to take it once it is its turn', async () => {
    let first: BytePeer | undefined;
    const { front } = await setUp(
      (peer, head) => {
        if (head.startsWith('GET /first')) first = peer;
        else if (head.startsWith('GET /second')) peer.send(textResponse(LARGE));
        else {
          peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${ENDLESS.length}\r\n\r\n`);
          peer.send(ENDLESS);
        }
      },
      { limits: { stallTimeoutMs: PATIENCE_MS } },
    );
    const client = await BytePeer.tcp(front.port);
    client.send(`${get('/first')}${get('/second')}`);
    await until(() => first !== undefined);
    const deaf = await BytePeer.tcp(front.port);
    deaf.socket.pause();
    deaf.send(get('/deaf'));
    await until(() => front.results.some(({ outcome }) => outcome === 'client_stalled'));
    first?.send(textResponse('first'));
    const received = await client.receive(LARGE);
    client.destroy();

    expect(received).toContain(`\r\n\r\n${LARGE}`);
    expect(front.results.map(({ outcome }) => outcome).sort()).toEqual(['client_stalled', 'completed', 'completed']);
  });

  it('may be one to an upload, which has its time once it is its turn', async () => {
    let first: BytePeer | undefined;
    const { front } = await setUp(
      (peer, head) => {
        if (head.startsWith('GET /first')) first = peer;
        else void peer.until('the rest').then((came) => came && peer.send(textResponse('taken')));
      },
      { limits: { bodyTimeoutMs: PATIENCE_MS } },
    );
    const put = 'PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 14\r\n\r\nbegun,';
    const client = await BytePeer.tcp(front.port);
    client.send(`${get('/first')}${put}`);
    await until(() => first !== undefined);
    const slow = await BytePeer.tcp(front.port);
    slow.send(put);
    await slow.receive('body_timeout');
    client.send('the rest');
    first?.send(textResponse('first'));

    expect(await client.receive(/taken$|body_timeout/)).toContain('taken');
    for (const peer of [client, slow]) peer.destroy();
  });
});

describe('a connection whose last request is there', () => {
  const front = frontDoorSetUp();

  it('serves none of those behind the one that is answered with `close` while draining (RFC 9112 9.6)', async () => {
    await front.open();
    const client = await BytePeer.tls(front.door.client);
    client.send(get('/0'));
    await client.receive('app.test /0');
    const drained = front.door.listener.drain({ timeoutMs: 60_000, announceMs: 30_000 });
    client.send(`${get('/1')}${get('/2')}${get('/3')}`);
    const received = await client.untilClosed();
    await drained;

    expect(front.door.exchanges.map(({ target }) => target)).toEqual(['/0', '/1']);
    expect(received).toMatch(/Connection: close[^]*app\.test \/1$/);
  });

  it('serves the next one where the head of the answer had left before the close was decided', async () => {
    const begun: ClientExchange[] = [];
    await front.open({
      onExchange: (exchange) => {
        if (exchange.target !== '/1') exchange.respond(200, [], exchange.target);
        else {
          exchange.sendHead(200, 'OK', ['Content-Length', '2']);
          exchange.flush();
          begun.push(exchange);
        }
      },
    });
    const client = await BytePeer.tls(front.door.client);
    client.send(get('/1'));
    await client.receive('\r\n\r\n');
    const drained = front.door.listener.drain({ timeoutMs: 60_000, announceMs: 30_000 });
    begun[0]?.write(Buffer.from('/1'));
    begun[0]?.end();
    await client.receive('\r\n\r\n/1');
    client.send(get('/2'));
    const received = await client.untilClosed();
    await drained;

    expect(received).toMatch(/Connection: keep-alive[^]*\/1HTTP[^]*Connection: close[^]*\/2$/);
  });

  it.each([
    ['an upgrade to HTTP/2', 'GET /2 HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
    [
      'a WebSocket',
      'GET /2 HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n',
    ],
    ['CONNECT', 'CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n'],
  ])('still answers those before %s, then ends', async (_what, behind) => {
    await front.open({
      onExchange: (exchange) => setImmediate(() => exchange.respond(200, [], exchange.target)),
    });
    const client = await BytePeer.tls(front.door.client);
    client.send(`${get('/1')}${behind}`);

    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n\/1$/);
    expect(front.door.exchanges).toHaveLength(1);
  });

  it('is told once of a client that leaves in the middle of its content', async () => {
    await front.open({ onExchange: () => undefined });
    const client = await BytePeer.tls(front.door.client);
    client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nbegun');
    await until(() => front.door.exchanges.length === 1);
    client.socket.end();
    await until(() => front.door.exchanges[0]?.abandoned === true);

    expect(front.door.refusals).toEqual([]);
  });
});
