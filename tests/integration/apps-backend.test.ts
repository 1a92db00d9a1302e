import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { runApp, type AppProcess } from '../support/set-ups/app-process.ts';
import { until, untilPasses } from '../support/until.ts';

interface Status {
  readonly running: boolean;
  readonly cpuPercent: number;
  readonly run: { readonly id: string; readonly intensity: number } | null;
  readonly last: { readonly id: string; readonly outcome: string } | null;
}

let backend: AppProcess;
beforeAll(async () => {
  backend = await runApp('backend', { REVEILLE_DOMAIN: 'alkimia.localhost' });
});
afterAll(async () => {
  await backend.end();
});

const call = (path: string, init?: RequestInit): Promise<Response> => fetch(`${backend.origin}${path}`, init);
const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await call(path, init)).json() as Promise<T>;
const withBody = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe('the REST interface of the backend', () => {
  it('says which instance answers', async () => {
    const response = await call('/api/hello?name=Ada');
    expect(response.headers.get('x-instance')).toBe('backend-1');
    expect(await response.json()).toMatchObject({ message: 'Hello, Ada!', instance: 'backend-1' });
    expect(await json('/api/instance')).toMatchObject({ instance: 'backend-1', node: process.version });
    expect(await json('/ping')).toMatchObject({ pong: true });
  });

  it('keeps notes', async () => {
    const created = await call('/api/notes', withBody('POST', { title: ' Milk ', text: 'two' }));
    expect(created.status).toBe(201);
    const path = created.headers.get('location') ?? '';
    expect(await json(path)).toMatchObject({ title: 'Milk', text: 'two' });
    expect(await json(path, withBody('PUT', { title: 'Bread' }))).toMatchObject({ title: 'Bread', text: '' });
    expect(await json('/api/notes')).toMatchObject({ total: 1 });
    expect((await call(path, { method: 'DELETE' })).status).toBe(204);
    expect((await call(path)).status).toBe(404);
  });

  it.each([
    ['no JSON', withBody('POST', '{'), 400, 'bad_json'],
    ['no object', withBody('POST', []), 422, 'bad_note'],
    ['no title', withBody('POST', { text: 'x' }), 422, 'bad_note'],
    ['an unknown field', withBody('POST', { title: 'x', colour: 'red' }), 422, 'bad_note'],
    ['too much', withBody('POST', { title: 'x', text: 'x'.repeat(70_000) }), 413, 'body_too_large'],
    ['another media type', { method: 'POST', body: 'title=x' }, 415, 'unsupported_media_type'],
  ])('refuses a note that is %s', async (_what, init, status, code) => {
    const response = await call('/api/notes', init);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ status, code });
  });

  it('lets pages of its own domain call it, and no others', async () => {
    const own = await call('/api/hello', { headers: { origin: 'https://app.alkimia.localhost:8443' } });
    expect(own.headers.get('access-control-allow-origin')).toBe('https://app.alkimia.localhost:8443');
    const preflight = {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'PUT' },
    };
    expect((await call('/api/notes/1', preflight)).headers.get('access-control-allow-origin')).toBeNull();
    expect((await call('/api/stress', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
  });
});

describe('the event stream of the backend', () => {
  it('says hello at once and goes on', async () => {
    const [response] = (await once(get(`${backend.origin}/api/events`), 'response')) as [IncomingMessage];
    expect(response.headers['content-type']).toContain('text/event-stream');
    let text = '';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (/event: tick\ndata: .*\n\n/.test(text)) break;
    }
    expect(text).toMatch(/^retry: 1000\n\nid: 1\nevent: hello\ndata: \{"instance":"backend-1"/);
  });
});

describe('stress', () => {
  it('makes the load that was asked for while requests are answered at once', async () => {
    const started = await call('/api/stress?intensity=60&duration=60000');
    expect(started.status).toBe(202);
    expect(await started.json()).toMatchObject({ kind: 'constant', steps: [{ intensity: 60, durationMs: 60_000 }] });
    // The machine may be busy with other tests, and no reading can be higher than what it has to give.
    await untilPasses(async () => expect((await json<Status>('/api/stress/status')).cpuPercent).toBeGreaterThan(5));
    const times: number[] = [];
    for (let round = 0; round < 40; round++) {
      const sent = performance.now();
      await (await call('/ping')).arrayBuffer();
      times.push(performance.now() - sent);
    }
    expect(times.sort((a, b) => a - b)[20]).toBeLessThan(1_000);
    expect((await json<Status>('/api/stress/status')).cpuPercent).toBeLessThan(90);
    await call('/api/stress/stop', { method: 'POST' });
    await untilPasses(async () => expect((await json<Status>('/api/stress/status')).cpuPercent).toBeLessThan(20));
  });

  it('climbs step by step and ends by itself', async () => {
    expect((await call('/api/stress/incremental?steps=3&maxIntensity=30&stepDuration=150')).status).toBe(202);
    const seen = new Set<number>();
    const last = await until(async () => {
      const status = await json<Status>('/api/stress/status');
      if (status.run) seen.add(status.run.intensity);
      return !status.running && status.last;
    });
    expect(last.outcome).toBe('finished');
    expect([...seen].sort()).toEqual(expect.arrayContaining([10, 20]));
  });

  it('replaces the run before', async () => {
    const first = await json<{ id: string }>('/api/stress?intensity=1&duration=60000');
    const second = await json<{ id: string; replaced: string }>('/api/stress?intensity=1&duration=60000');
    expect(second.replaced).toBe(first.id);
    expect(await json('/api/stress/stop')).toMatchObject({ stopped: { id: second.id, outcome: 'stopped' } });
    expect(await json('/api/stress/stop')).toMatchObject({ stopped: null });
  });

  it.each([
    '?intensity=101',
    '?intensity=abc',
    '?duration=600001',
    '?intensty=5',
    '?intensity=5&intensity=6',
    '/incremental?steps=0',
  ])('answers %s with a clear 400', async (query) => {
    const response = await call(`/api/stress${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'bad_parameter',
      errors: [{ detail: expect.any(String) as string }],
    });
  });
});

describe('the end of the backend', () => {
  it('comes within two seconds of SIGTERM, with everything open', async () => {
    const app = await runApp('backend');
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}/ws`);
    await once(socket, 'open');
    const closed = once(socket, 'close') as Promise<[number]>;
    const [events] = (await once(get(`${app.origin}/api/events`), 'response')) as [IncomingMessage];
    const streamEnded = once(events.resume(), 'end');
    await fetch(`${app.origin}/api/stress?intensity=100&duration=60000`);
    // A request whose body never comes to an end, and a connection that says nothing.
    const stuck = connect(app.port, '127.0.0.1');
    stuck.on('error', () => stuck.destroy());
    stuck.write('POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{');
    const silent = connect(app.port, '127.0.0.1');
    silent.on('error', () => silent.destroy());
    await Promise.all([once(stuck, 'connect'), once(silent, 'connect')]);
    const { code, tookMs } = await app.end();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(8_000);
    expect((await closed)[0]).toBe(1001);
    await streamEnded;
  });

  it('comes at once when nothing is open', async () => {
    const app = await runApp('backend');
    await (await fetch(`${app.origin}/ping`)).arrayBuffer();
    const { code, tookMs } = await app.end('SIGINT');
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(8_000);
  });
});
