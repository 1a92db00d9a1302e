import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Redirect } from '../../src/proxy/listen/redirect.ts';
import type { Refusal } from '../../src/proxy/listen/refusal.ts';
import { RequestIds } from '../../src/proxy/listen/request-ids.ts';
import { listenWithFallback } from '../../src/proxy/listen/listening.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';

let httpsPort = 443;
let refusals: Refusal[];
let redirect: Redirect;

beforeEach(async () => {
  httpsPort = 443;
  refusals = [];
  redirect = new Redirect({
    httpsPort: () => httpsPort,
    requestIds: new RequestIds(() => false),
    log: pino({ level: 'silent' }),
    trusted: () => false,
    limits: { headersTimeoutMs: 300, checkEveryMs: 50 },
    onRefused: (refusal) => refusals.push(refusal),
  });
  await redirect.listen('127.0.0.1', 0);
});
afterEach(() => redirect.close());

async function ask(bytes: string): Promise<string> {
  const client = await BytePeer.tcp(redirect.port);
  client.send(bytes);
  return client.untilClosed();
}

const closing = 'Connection: close\r\n\r\n';

describe('the redirect to HTTPS', () => {
  it.each([
    [443, 'GET /a/b?c=d HTTP/1.1\r\nHost: App.test:80\r\n', 'https://app.test/a/b?c=d'],
    [8443, 'GET / HTTP/1.1\r\nHost: app.test\r\n', 'https://app.test:8443/'],
    [443, 'GET http://other.test/x HTTP/1.1\r\nHost: app.test\r\n', 'https://other.test/x'],
    [443, 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n', 'https://[::1]/'],
    [443, 'OPTIONS * HTTP/1.1\r\nHost: app.test\r\n', 'https://app.test/'],
    [443, 'GET //evil.test/ HTTP/1.1\r\nHost: app.test\r\n', 'https://app.test//evil.test/'],
    [443, 'GET / HTTP/1.0\r\nHost: app.test\r\n', 'https://app.test/'],
    [
      443,
      'GET /ws HTTP/1.1\r\nHost: app.test\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n',
      'https://app.test/ws',
    ],
  ])('with HTTPS on %i answers %j with 308 to %s', async (port, request, location) => {
    httpsPort = port;
    const answer = await ask(request.includes('Connection') ? `${request}\r\n` : request + closing);
    expect(answer).toMatch(/^HTTP\/1\.1 308 Permanent Redirect\r\n/);
    expect(answer).toContain(`\r\nlocation: ${location}\r\n`);
    expect(answer).toMatch(/\r\nx-request-id: [0-9a-f]{16}\r\n/);
  });

  it.each(['a@b', 'evil.test/x', 'a\\b', '', 'a, b', 'a b', 'a:99999', 'a%0d%0ax'])(
    'does not lead anywhere for Host: %j',
    async (host) => {
      const answer = await ask(`GET / HTTP/1.1\r\nHost: ${host}\r\n${closing}`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer.toLowerCase()).not.toContain('location:');
      expect(refusals).toMatchObject([{ code: 'bad_host', remoteAddress: '127.0.0.1' }]);
    },
  );

  it('closes a connection that drips its head', async () => {
    expect(await ask('GET / HTTP/1.1\r\n')).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('keeps connections alive, and drains them', async () => {
    const client = await BytePeer.tcp(redirect.port);
    client.send('GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n');
    expect((await client.receive('a.test/2')).match(/308/g)).toHaveLength(2);
    await redirect.drain({ timeoutMs: 60_000, announceMs: 20 });
    await client.untilClosed();
  });

  it('drops the content of a request, which the client sends again', async () => {
    const content = 'x'.repeat(100_000);
    const answer = await ask(
      `POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${content.length}\r\n\r\n${content}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 308 /);
    expect(answer).toContain('Connection: close');
  });

  it('falls back when its port is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const listening = await listenWithFallback(redirect, '127.0.0.1', port, 0);
    expect(listening.fellBack).toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining('HTTP_PORT') as unknown,
    });
    squatter.close();
  });
});
