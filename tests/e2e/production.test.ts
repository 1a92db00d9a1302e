import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { Production } from '../support/set-ups/production.ts';
import { SteadyLoad } from '../support/clients/steady-load.ts';
import { MetricsText } from '../support/metrics-text.ts';
import { SPARING, until } from '../support/until.ts';

const hasDocker = await dockerAvailable();
const MINUTE = 60_000;

describe('production under pm2', { timeout: 4 * MINUTE }, () => {
  let upstream: Server;
  let services: Record<string, unknown>;
  let production: Production;

  beforeAll(async () => {
    upstream = await openUpstream();
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    services = { web: { routes: ['web'], url } };
    if (hasDocker) services['lazy'] = { routes: ['lazy'], image: await fixtureImage(), sleep: false };
    const env = { RUNTIME: hasDocker ? 'docker' : 'process', DRAIN_TIMEOUT: '4s' };
    production = await Production.start({ services, workers: 2, env });
  }, 4 * MINUTE);
  afterAll(async () => {
    await production.dispose();
    upstream.closeAllConnections();
    upstream.close();
  }, MINUTE);

  const ask = (service: string, headers: Record<string, string> = {}): ReturnType<Production['client']['ask']> =>
    production.client.ask(production.host(service), { headers });
  const pids = async (name?: 'control' | 'proxy'): Promise<number[]> =>
    (await production.processes(name)).map(({ pid }) => pid);

  it('is one control process and as many proxies as WORKERS says, and tells so', async () => {
    expect((await production.processes()).map(({ name }) => name).sort()).toEqual(['control', 'proxy', 'proxy']);
    const { health } = JSON.parse(await production.cli('status', '--json')) as { health: { proxies: number } };
    expect(health.proxies).toBe(2);
    // What is written passes through the process manager.
    await until(async () => (await production.log('proxy')).includes('a proxy process is up'));
  });

  it('counts in one place what all proxies have served', async () => {
    const token = await readFile(join(production.dir, 'state/admin-token'), 'utf8');
    const metrics = async (): Promise<MetricsText> => {
      const headers = { authorization: `Bearer ${token.trim()}` };
      const { body } = await production.client.ask(production.host('proxy'), { path: '/metrics', headers });
      return new MetricsText(body);
    };
    const served = async (): Promise<number> => (await metrics()).value('requests_total', { service: 'web' }) ?? 0;
    const before = await served();
    await Promise.all(Array.from({ length: 40 }, () => ask('web')));
    await until(async () => (await served()) === before + 40, SPARING);
    const all = ['control', ...(await pids('proxy')).map((pid) => `proxy-${pid}`)];
    const lag = async (process: string): Promise<number | undefined> =>
      (await metrics()).value('event_loop_lag_seconds', { process });
    for (const process of all) await until(async () => (await lag(process)) !== undefined, SPARING);
  });

  it('resumes the TLS sessions of one proxy in the others', async () => {
    const first = await tlsSession();
    const resumed = await Promise.all(Array.from({ length: 6 }, () => tlsSession(first.session)));
    expect(resumed.map(({ reused }) => reused)).toEqual(Array(6).fill(true));
  });

  it.skipIf(!hasDocker)('starts one container however many ask, in whichever proxy', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask('lazy')));
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    expect(await production.containers.count('lazy', 'start')).toBe(1);
  });

  it('brings an edited manifest, .env and certificate to every proxy', async () => {
    const before = (await tlsSession()).fingerprint;
    await writeFile(join(production.dir, '.env'), 'TRUSTED_PROXIES=127.0.0.1/32\n');
    await production.writeManifest({ ...services, more: { ...(services['web'] as object), routes: ['more'] } });
    await production.writeCertificate();

    const forwarded = async (): Promise<string> => (await ask('more', { 'x-forwarded-for': '10.9.8.7' })).body;
    await allOfSix(async () => (await forwarded()).startsWith('10.9.8.7, '));
    await allOfSix(async () => (await tlsSession()).fingerprint !== before);
  });

  it('reloads all of it under 200 requests a second and open WebSockets without failing one', async () => {
    const before = await pids();
    const sockets = await Promise.all([1, 2, 3, 4].map(() => production.client.webSocket(production.host('web'), '/')));
    const load = new SteadyLoad(production.client, production.host('web'), 200);
    await until(() => load.sent > 100, { timeout: MINUTE });

    const reloaded = production.pm2('reload', 'all');
    const echoes = await Promise.all(sockets.map((socket) => echo(socket, 'still there')));
    await reloaded;
    const { sent, failures } = await load.stop();

    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(500);
    expect(echoes).toEqual(Array(4).fill('still there'));
    const after = await pids();
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    if (hasDocker) expect(await production.containers.count('lazy', 'start')).toBe(1);
  });

  it('loses only its own connections with a proxy that is killed, which is replaced', async () => {
    const [victim = 0] = await pids('proxy');
    const load = new SteadyLoad(production.client, production.host('web'), 200);
    await until(() => load.sent > 100, { timeout: MINUTE });
    await production.killAndWait('proxy', victim);
    const { sent, failures } = await load.stop();

    // Of twenty connections about half were its own, each with a request under way at most.
    expect(failures.length).toBeLessThanOrEqual(20);
    expect(sent).toBeGreaterThan(200);
    await until(async () => (await pids('proxy')).length === 2, { timeout: MINUTE });
    if (hasDocker) expect(await production.containers.count('lazy', 'start')).toBe(1);
  });

  it('goes on without the control process, and lets wakes wait for the next one', async () => {
    if (hasDocker) await production.cli('sleep', 'lazy');
    const [victim = 0] = await pids('control');
    const load = new SteadyLoad(production.client, production.host('web'), 200);
    await until(() => load.sent > 100, { timeout: MINUTE });
    const replaced = production.killAndWait('control', victim);
    await until(async () => (await production.log('proxy')).includes('the control process is away'), {
      timeout: MINUTE,
    });
    const woken = hasDocker ? await ask('lazy') : undefined;
    const admin = await production.client.ask(production.host('proxy'), { path: '/api/health' });
    await replaced;
    const { failures } = await load.stop();

    expect(failures).toEqual([]);
    expect(admin.status).toBe(200);
    if (!woken) return;
    expect(woken.status).toBe(200);
    expect(woken.headers['server-timing']).toMatch(/wake;dur=[\d.]+, control;dur=/);
    expect(await production.containers.states('lazy')).toEqual(['running']);
  });

  /** Connections take turns between the proxies, so that six are enough to meet both of them. */
  async function allOfSix(check: () => Promise<boolean>): Promise<void> {
    await until(
      async () => {
        const seen: boolean[] = [];
        for (let n = 0; n < 6; n += 1) seen.push(await check().catch(() => false));
        return seen.every(Boolean);
      },
      { timeout: MINUTE, interval: 100 },
    );
  }

  async function tlsSession(
    session?: Buffer,
  ): Promise<{ reused: boolean; session: Buffer | undefined; fingerprint: string }> {
    const servername = production.host('web');
    const { port, ca } = production;
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca, servername, ...(session && { session }) });
    socket.on('error', () => undefined);
    const ticket = once(socket, 'session') as Promise<[Buffer]>;
    await once(socket, 'secureConnect');
    const reused = socket.isSessionReused();
    const { fingerprint256: fingerprint } = socket.getPeerCertificate();
    // With TLS 1.3 the ticket comes with the first bytes.
    socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    socket.resume();
    const made = session ?? (await ticket)[0];
    socket.destroy();
    return { reused, session: made, fingerprint };
  }
});

/** Says from where it was asked, and echoes what a WebSocket brings. */
async function openUpstream(): Promise<Server> {
  const server = createServer((request, response) => {
    response.end(String(request.headers['x-forwarded-for']));
  });
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data) => socket.send(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function echo(socket: Awaited<ReturnType<Production['client']['webSocket']>>, text: string): Promise<string> {
  const answer = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(text);
  return (await answer)[0].toString();
}
