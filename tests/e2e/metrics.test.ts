import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get2 } from '../support/clients/https-client.ts';
import { MetricsText } from '../support/metrics-text.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { SPARING, until } from '../support/until.ts';

const PROGRAM = `
  require('node:http')
    .createServer((request, response) => response.writeHead(Number(request.url.slice(1)) || 200).end('hello'))
    .on('upgrade', ({ headers }, socket) => {
      const text = headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
      const accept = require('node:crypto').createHash('sha1').update(text).digest('base64');
      const fields = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Accept: ' + accept];
      socket.on('error', () => undefined).on('end', () => socket.end()).resume();
      socket.write(['HTTP/1.1 101 OK', ...fields, '', ''].join('\\r\\n'));
    })
    .listen(process.env.PORT);
`;

describe.skipIf(process.platform !== 'linux')('the metrics of a daemon', () => {
  let outside: Server;
  let daemon: Daemon;

  beforeAll(async () => {
    outside = createServer((request, response) => {
      if (request.url === '/reset') request.socket.destroy();
      else response.end('outside');
    });
    outside.listen(0, '127.0.0.1');
    await once(outside, 'listening');
    const { port } = outside.address() as AddressInfo;
    daemon = await Daemon.start({
      services: {
        web: { routes: ['web'], process: { command: [process.execPath, '-e', PROGRAM] }, build: { context: '.' } },
        outside: { routes: ['outside'], url: `http://127.0.0.1:${port}` },
        broken: {
          routes: ['broken'],
          process: { command: [process.execPath, '-e', 'process.exit(3)'] },
          image: 'none',
        },
      },
      env: { RUNTIME: 'process', ADMIN_TOKEN: 'a-token-for-prometheus-0123456789' },
      withoutDocker: true,
    });
  });
  afterAll(async () => {
    await daemon.dispose();
    outside.close();
  });

  const admin = (authorization?: string) =>
    daemon.ask('proxy', { path: '/metrics', headers: authorization === undefined ? {} : { authorization } });
  const scrape = async (): Promise<MetricsText> =>
    new MetricsText((await admin('Bearer a-token-for-prometheus-0123456789')).body);
  /** Data halves tell once a second. */
  const untilShown = (check: (metrics: MetricsText) => boolean): Promise<true> =>
    until(async () => check(await scrape()), SPARING);

  it('are for whoever knows the token', async () => {
    expect((await admin()).status).toBe(401);
    expect((await admin('Bearer wrong')).status).toBe(401);
    const { status, headers } = await admin('Bearer a-token-for-prometheus-0123456789');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  });

  it('count every request once, whatever became of it', async () => {
    const times = (count: number) => Array.from({ length: count });
    await Promise.all(times(20).map(() => daemon.ask('web')));
    await Promise.all(times(7).map(() => daemon.ask('web', { path: '/404' })));
    await Promise.all(times(3).map(() => daemon.ask('web', { method: 'POST', body: 'x' })));
    await Promise.all(times(5).map(() => daemon.ask('nobody')));
    await Promise.all(times(4).map(() => daemon.ask('outside')));
    await Promise.all(times(2).map(() => daemon.ask('outside', { path: '/reset', method: 'POST', body: 'x' })));
    const session = await daemon.client.http2(daemon.host('web'));
    for (let n = 0; n < 6; n += 1) await get2(session);
    session.destroy();
    const expected: readonly (readonly [string, string, string, number])[] = [
      ['web', 'GET', '200', 26],
      ['web', 'GET', '404', 7],
      ['web', 'POST', '200', 3],
      ['', 'GET', '404', 5],
      ['outside', 'GET', '200', 4],
      ['outside', 'POST', '502', 2],
    ];
    const counted = (metrics: MetricsText, name: string) =>
      expected.map(([service, method, status]) => metrics.value(name, { service, method, status }));
    const all = expected.map(([, , , count]) => count);
    await untilShown((metrics) => String(counted(metrics, 'requests_total')) === String(all));
    const metrics = await scrape();
    expect(counted(metrics, 'request_duration_seconds_count')).toEqual(all);
    expect(metrics.value('upstream_errors_total', { service: 'outside', kind: 'upstream_reset' })).toBe(2);
    expect(metrics.value('instances', { service: 'web', state: 'ready' })).toBe(1);
    expect(metrics.value('mqtt_connected')).toBe(1);
    expect(metrics.value('store_connected')).toBe(1);
    expect(metrics.value('event_loop_lag_seconds', { process: 'control' })).toBeGreaterThanOrEqual(0);
  });

  it('count a WebSocket once it is open, and have it in flight as long as it is', async () => {
    const socket = await daemon.client.webSocket(daemon.host('web'), '/');
    await untilShown((metrics) => metrics.value('requests_total', { service: 'web', status: '101' }) === 1);
    await untilShown((metrics) => metrics.value('in_flight', { service: 'web' }) === 1);
    socket.terminate();
    await untilShown((metrics) => metrics.value('in_flight', { service: 'web' }) === 0);
    expect((await scrape()).value('requests_total', { service: 'web', status: '101' })).toBe(1);
  });

  it('tell of the wake, and of the one that failed', async () => {
    expect((await daemon.ask('broken')).status).toBe(502);
    await untilShown((metrics) => metrics.value('wakes_total', { service: 'broken', result: 'failed' }) === 1);
    const metrics = await scrape();
    expect(metrics.value('wakes_total', { service: 'web', result: 'awake' })).toBe(1);
    expect(metrics.value('wake_duration_seconds_count', { service: 'web', phase: 'total' })).toBe(1);
    expect(metrics.value('instances', { service: 'broken', state: 'ready' })).toBe(0);
  });
});
