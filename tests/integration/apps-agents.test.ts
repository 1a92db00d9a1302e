import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runApp, type AppProcess } from '../support/set-ups/app-process.ts';
import { until } from '../support/until.ts';

/** Stands for the daemon: it knows whether the backend sleeps. */
async function runDaemon(): Promise<{ server: Server; port: string }> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ service: request.headers.host?.split('.')[0], status: 'asleep', path: request.url }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: String((server.address() as AddressInfo).port) };
}

describe('the frontend', () => {
  let frontend: AppProcess;
  let daemon: { server: Server; port: string };
  beforeAll(async () => {
    daemon = await runDaemon();
    const env = { PROTOCOL: 'http', REVEILLE_DOMAIN: 'x.localhost', REVEILLE_HTTPS_PORT: daemon.port };
    frontend = await runApp('frontend', { ...env, BACKEND_SUBDOMAIN: 'srv' });
  });
  afterAll(async () => {
    const { code, tookMs } = await frontend.end();
    expect([code, tookMs < 2_000]).toEqual([0, true]);
    daemon.server.closeAllConnections();
    daemon.server.close();
  });

  it('serves a page whose every file is there', async () => {
    const response = await fetch(frontend.origin);
    const page = await response.text();
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain('ws://srv.x.localhost:*');
    expect(page).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?:\/\//);
    const queue = [...page.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js|svg))"/g)].map((match) => match[1] ?? '');
    expect(queue.length).toBeGreaterThanOrEqual(4);
    const seen = new Set<string>();
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const file = await fetch(frontend.origin + path);
      expect([path, file.status]).toEqual([path, 200]);
      const text = await file.text();
      for (const match of text.matchAll(/from '(\.[^']+)'/g))
        queue.push(new URL(match[1] ?? '', frontend.origin + path).pathname);
    }
    expect(seen).toContain('/shared/page/elements.js');
  });

  it('answers 304 for what has not changed', async () => {
    const etag = (await fetch(`${frontend.origin}/shared/page/base.css`)).headers.get('etag') ?? '';
    const again = await fetch(`${frontend.origin}/shared/page/base.css`, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
  });

  it.each(['/server.js', '/frontend/server.js', '/..%2fpackage.json', '/shared/page/../../package.json'])(
    'serves nothing else: %s',
    async (path) => expect((await fetch(frontend.origin + path)).status).toBe(404),
  );

  it('tells the page where the backend is, and whether it sleeps', async () => {
    const config = await (await fetch(`${frontend.origin}/config.json`)).json();
    expect(config).toMatchObject({
      backendHost: 'srv.x.localhost',
      backendOrigin: `http://srv.x.localhost:${daemon.port}`,
    });
    expect(await (await fetch(`${frontend.origin}/backend-status`)).json()).toEqual({ status: 'asleep' });
  });
});

describe('the stress agent', () => {
  interface AgentStatus {
    readonly running: boolean;
    readonly run: {
      readonly phase: string;
      readonly backend: { readonly status?: number; readonly error?: string; readonly body?: unknown } | null;
      readonly load: {
        readonly sent: number;
        readonly answered: number;
        readonly failed: number;
        readonly instances: Record<string, number>;
        readonly errors: Record<string, number>;
      };
    } | null;
  }

  let backend: AppProcess;
  let agent: AppProcess;
  beforeAll(async () => {
    backend = await runApp('backend');
    // By its name, through our own lookup: the resolver of the machine does not know it.
    agent = await runApp('stress-agent', { BACKEND_ORIGIN: `http://server.nowhere.localhost:${backend.port}` });
  });
  afterAll(async () => {
    const { code, tookMs } = await agent.end();
    expect([code, tookMs < 2_000]).toEqual([0, true]);
    await backend.end();
  });
  const status = async (): Promise<AgentStatus> =>
    (await fetch(`${agent.origin}/status`)).json() as Promise<AgentStatus>;
  const ended = () =>
    until(async () => {
      const now = await status();
      return now.running ? undefined : now;
    });

  it('answers at once, drives the backend and reports', async () => {
    expect((await fetch(`${agent.origin}/busy`)).status).toBe(404);
    const response = await fetch(`${agent.origin}/stress?intensity=5&duration=1000&rps=100&concurrency=5`);
    expect(response.status).toBe(202);
    expect((await fetch(`${agent.origin}/busy`)).status).toBe(204);
    const { run } = await ended();
    expect(run?.phase).toBe('finished');
    expect(run?.backend).toMatchObject({ status: 202, body: { kind: 'constant', instance: 'backend-1' } });
    expect(run?.load.answered).toBeGreaterThan(20);
    expect(run?.load.sent).toBeLessThanOrEqual(100);
    expect(run?.load.failed).toBe(0);
    expect(run?.load.instances).toEqual({ 'backend-1': run?.load.answered });
  });

  it('drives the staircase, and stops when told to', async () => {
    expect(
      (await fetch(`${agent.origin}/stress-incremental?steps=5&maxIntensity=20&stepDuration=60000&rps=20`)).status,
    ).toBe(202);
    await until(async () => (await status()).run?.backend);
    expect(await (await fetch(`${agent.origin}/stop`, { method: 'POST' })).json()).toEqual({ stopped: 'run-2' });
    expect((await ended()).run?.phase).toBe('stopped');
    const running = async (): Promise<boolean> =>
      ((await (await fetch(`${backend.origin}/api/stress/status`)).json()) as { running: boolean }).running;
    await until(async () => !(await running()));
  });

  it('refuses bad parameters and foreign pages', async () => {
    expect((await fetch(`${agent.origin}/stress?rps=abc`)).status).toBe(400);
    expect((await fetch(`${agent.origin}/stress`, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    expect((await fetch(`${agent.origin}/stress`, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  });

  it('says why when the backend cannot be reached', async () => {
    const lost = await runApp('stress-agent', { BACKEND_ORIGIN: 'http://127.0.0.1:1' });
    await fetch(`${lost.origin}/stress?duration=200&rps=20`);
    const run = await until(async () => {
      const now = (await (await fetch(`${lost.origin}/status`)).json()) as AgentStatus;
      return now.running ? undefined : now.run;
    });
    expect(run.phase).toBe('failed');
    expect(run.backend?.error).toContain('ECONNREFUSED');
    await lost.end();
  });
});
