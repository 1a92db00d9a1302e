import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../../src/fleet/errors.ts';
import type {
  ActionAnswer,
  HealthAnswer,
  InstancesAnswer,
  ProblemAnswer,
  ServiceAnswer,
  ServicesAnswer,
  SleepAnswer,
  WakeAnswer,
} from '../../src/management/contract.ts';
import { TestManagement } from '../support/set-ups/management.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { until } from '../support/until.ts';

let management: TestManagement;

afterEach(() => management.close());

const web = serviceSpec({
  name: 'web',
  routes: [
    { host: 'app.alkimia.localhost', path: '/', port: 3000 },
    { host: 'app.alkimia.localhost', path: '/api', port: 3000 },
  ],
  env: { DATABASE_PASSWORD: 'hunter2' },
  scale: { min: 0, max: 3, cooldownMs: 1 },
});
const printer = serviceSpec({
  name: 'printer',
  source: { kind: 'url', urls: ['http://127.0.0.1:9'] },
  readiness: { strategy: { kind: 'tcp' } },
});

describe('GET /api/health', () => {
  it('answers everybody, and names no service', async () => {
    management = await TestManagement.start([web]);
    const answer = await management.ask('/api/health', { headers: { authorization: undefined } });
    expect(answer.status).toBe(200);
    expect(answer.json<HealthAnswer>()).toMatchObject({
      status: 'ok',
      runtime: { kind: 'docker', up: true },
      store: { kind: 'embedded', up: true },
      mqtt: { kind: 'embedded', connected: true, dropped: 0 },
      services: { asleep: 1, awake: 0 },
      problems: [],
    });
    expect(answer.text).not.toContain('web');
  });

  it('is degraded while a part is away, says which and why, and hides credentials', async () => {
    management = await TestManagement.start([web]);
    management.mqtt.condition = { up: false, reason: 'nothing listens at mqtt://ann:secret@broker' };
    management.store.failure = new Error('mongodb://admin:secret@db does not answer');
    management.runtime.setCondition({ up: false, code: 'no_socket', reason: 'the socket is missing' });
    management.notice = 'services run as processes';
    const health = (await management.ask('/api/health')).json<HealthAnswer>();
    expect(health.status).toBe('degraded');
    expect(health.runtime).toEqual({
      kind: 'docker',
      up: false,
      reason: 'the socket is missing',
      fallback: 'services run as processes',
    });
    expect(health.mqtt).toMatchObject({
      connected: false,
      reason: expect.stringContaining('nothing listens') as string,
    });
    expect(health.problems).toHaveLength(4);
    expect(health.problems).toContainEqual(expect.stringMatching(/MQTT broker is not connected: nothing listens/));
    expect(JSON.stringify(health)).not.toContain('secret');
    management.store.failure = undefined;
  });
});

describe('a refused edit', () => {
  const detail = 'The manifest cannot be used:\n  services.web.port: must be a port';

  it('is told in one line by health, and what it says to nobody without the token', async () => {
    management = await TestManagement.start([web]);
    management.refusedEdits = [{ file: 'my-services.ts', detail }];
    const health = async (headers = {}): Promise<HealthAnswer> =>
      (await management.ask('/api/health', { headers })).json<HealthAnswer>();
    const [own, stranger] = [await health(), await health({ authorization: undefined })];
    expect(own.problems).toEqual([
      'the edit of my-services.ts is refused, what was before goes on; correct it and save: ' +
        'The manifest cannot be used: services.web.port: must be a port',
    ]);
    expect(stranger).toMatchObject({ status: 'degraded', problems: [expect.stringContaining('edit') as string] });
    expect(JSON.stringify(stranger)).not.toMatch(/my-services|web/);
  });

  it('is shown on the dashboard', async () => {
    management = await TestManagement.start([web]);
    management.refusedEdits = [{ file: 'my-services.ts', detail }];
    expect((await management.ask('/')).text).toContain('The edit of my-services.ts is refused');
  });
});

describe('GET /api/services', () => {
  it('shows each service with its URLs, and nothing of its environment', async () => {
    management = await TestManagement.start([web]);
    const answer = await management.ask('/api/services/web');
    expect(answer.json<ServiceAnswer>()).toMatchObject({
      name: 'web',
      status: 'asleep',
      routes: ['https://app.alkimia.localhost:8443', 'https://app.alkimia.localhost:8443/api'],
      replicas: { desired: 1, ready: 0 },
      inFlight: 0,
      source: 'image',
      runtime: 'docker',
    });
    expect(answer.text).not.toContain('hunter2');
  });

  it('filters by status, counts all that match, and goes on where the last part ended', async () => {
    const specs = ['c', 'a', 'd', 'b'].map((name) => serviceSpec({ name }));
    management = await TestManagement.start(specs);
    await management.post('/api/services/d/wake');
    const first = (await management.ask('/api/services?status=asleep&limit=2')).json<ServicesAnswer>();
    expect(first.services.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(first.total).toBe(3);
    const rest = await management.ask(`/api/services?status=asleep&limit=2&cursor=${first.nextCursor}`);
    expect(rest.json<ServicesAnswer>()).toMatchObject({ services: [{ name: 'c' }], total: 3 });
    expect(rest.json<ServicesAnswer>().nextCursor).toBeUndefined();
  });

  it.each(['status=up', 'limit=0', 'limit=x', 'limit=1&limit=2', 'cursor=!'])(
    'refuses ?%s with its field',
    async (query) => {
      management = await TestManagement.start([web]);
      const answer = await management.ask(`/api/services?${query}`);
      expect(answer.status).toBe(400);
      const { code, problems } = answer.json<ProblemAnswer>();
      expect(code).toBe('invalid_request');
      expect(problems?.map(({ field }) => field)).toEqual([query.split('=')[0]]);
    },
  );

  it('answers 404 for a service that does not exist', async () => {
    management = await TestManagement.start([web]);
    const answer = await management.ask('/api/services/wep');
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json<ProblemAnswer>()).toMatchObject({ code: 'unknown_service', status: 404 });
    expect(answer.json<ProblemAnswer>().requestId).toBe(answer.headers['x-request-id']);
  });

  it('lists the instances of all services', async () => {
    management = await TestManagement.start([web, printer]);
    await management.post('/api/services/web/wake');
    const { instances, total } = (await management.ask('/api/instances')).json<InstancesAnswer>();
    expect(total).toBe(2);
    expect(instances.map(({ service, id }) => [service, id])).toEqual([
      ['printer', 'printer-url-1'],
      ['web', 'web-1'],
    ]);
    expect(instances[1]).toMatchObject({ state: 'ready', upstream: expect.stringContaining('127.0.0.1:') as string });
  });
});

describe('actions', () => {
  it('wakes a service and answers once it serves, with the times', async () => {
    management = await TestManagement.start([web]);
    const answer = await management.post('/api/services/web/wake');
    expect(answer.status).toBe(200);
    const woken = answer.json<WakeAnswer>();
    expect(woken).toMatchObject({ service: 'web', status: 'awake', replicas: { desired: 1, ready: 1 } });
    expect(woken.timings?.totalMs).toBeGreaterThan(0);
    expect(management.runtime.starts('web')).toBe(1);
  });

  it('answers 202 at once with ?wait=false', async () => {
    management = await TestManagement.start([web]);
    const release = management.runtime.hold('start');
    const answer = await management.post('/api/services/web/wake?wait=false');
    expect(answer.status).toBe(202);
    expect(answer.json<ActionAnswer>().status).toBe('waking');
    release();
    await until(() => management.fleet.member('web')?.status === 'awake');
  });

  it('answers a wake that fails with the reason and the last log lines', async () => {
    management = await TestManagement.start([web]);
    const startFails = new RuntimeError('instance_exited', 'web-1 ended with exit code 1', { logTail: ['boom'] });
    management.runtime.behave('web', { startFails });
    const answer = await management.post('/api/services/web/wake');
    expect(answer.status).toBe(502);
    expect(answer.json<ProblemAnswer>()).toMatchObject({ code: 'instance_exited', service: 'web', logTail: ['boom'] });
    const shown = (await management.ask('/api/services/web')).json<ServiceAnswer>();
    expect(shown).toMatchObject({ status: 'failed', failure: { code: 'instance_exited', logTail: ['boom'] } });
  });

  it('answers 503 with Retry-After while the runtime is away', async () => {
    management = await TestManagement.start([web]);
    management.runtime.setCondition({ up: false, code: 'no_socket', reason: 'gone' });
    const answer = await management.post('/api/services/web/wake');
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json<ProblemAnswer>().code).toBe('runtime_unavailable');
  });

  it('answers 504 when it does not become ready in time', async () => {
    const slow = serviceSpec({ name: 'slow', wake: { timeoutMs: 50, maxWaiting: 1, page: 'auto', pageAfterMs: 1 } });
    management = await TestManagement.start([slow]);
    management.runtime.behave('slow', { startFails: new RuntimeError('not_ready_in_time', 'slow was not ready') });
    expect((await management.post('/api/services/slow/wake')).status).toBe(504);
  });

  it('puts a service to sleep, by the strategy that is asked for', async () => {
    management = await TestManagement.start([web]);
    await management.post('/api/services/web/wake');
    const answer = await management.post('/api/services/web/sleep', { strategy: 'pause' });
    expect(answer.json<SleepAnswer>()).toMatchObject({ asleep: true, status: 'asleep' });
    expect(management.runtime.count('pause')).toBe(1);
  });

  it('restarts a service', async () => {
    management = await TestManagement.start([web]);
    await management.post('/api/services/web/wake');
    expect((await management.post('/api/services/web/restart')).json()).toMatchObject({ status: 'awake' });
    expect(management.runtime.starts('web')).toBe(2);
  });

  it('scales to a number, up and down', async () => {
    management = await TestManagement.start([web]);
    const scaled = (await management.post('/api/services/web/scale', { replicas: 2 })).json<ActionAnswer>();
    expect(scaled).toMatchObject({ service: 'web', replicas: { desired: 2 } });
    expect((await management.post('/api/services/web/scale-up')).json()).toMatchObject({ replicas: { desired: 3 } });
    expect((await management.post('/api/services/web/scale-down')).json()).toMatchObject({ replicas: { desired: 2 } });
    expect((await management.post('/api/services/web/scale', { replicas: 0 })).json()).toMatchObject({
      status: 'asleep',
    });
  });

  it('gives a sleeping service its first instance on scale-up', async () => {
    management = await TestManagement.start([web]);
    const answer = await management.post('/api/services/web/scale-up');
    expect(answer.json()).toMatchObject({ status: 'awake', replicas: { desired: 1, ready: 1 } });
  });

  it('refuses more instances than the manifest allows', async () => {
    management = await TestManagement.start([web]);
    const answer = await management.post('/api/services/web/scale', { replicas: 4 });
    expect(answer.status).toBe(422);
    expect(answer.json<ProblemAnswer>().code).toBe('scale_out_of_range');
  });

  it.each([
    [{}, 'replicas'],
    [{ replicas: '2' }, 'replicas'],
    [{ replicas: 1.5 }, 'replicas'],
    [{ replicas: -1 }, 'replicas'],
    [{ replicas: 1, by: 'me' }, 'body'],
    [[], 'body'],
  ])('refuses the body %j', async (body, field) => {
    management = await TestManagement.start([web]);
    const answer = await management.post('/api/services/web/scale', body);
    expect(answer.status).toBe(400);
    expect(answer.json<ProblemAnswer>().problems?.[0]?.field).toBe(field);
  });

  it.each([
    ['{"replicas":', {}, 400, 'invalid_request'],
    ['replicas=1', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    [`"${'x'.repeat(70_000)}"`, {}, 413, 'body_too_large'],
    ['{"__proto__":{"replicas":1}}', {}, 400, 'invalid_request'],
  ])('refuses what is no JSON, or too much of it (%#)', async (body, headers, status, code) => {
    management = await TestManagement.start([web]);
    const answer = await management.post('/api/services/web/scale', body, headers);
    expect([answer.status, answer.json<ProblemAnswer>().code]).toEqual([status, code]);
  });

  it('does nothing to services that somebody else runs', async () => {
    management = await TestManagement.start([printer]);
    const answer = await management.post('/api/services/printer/wake');
    expect([answer.status, answer.json<ProblemAnswer>().code]).toEqual([409, 'not_ours']);
  });

  it('answers 404 for a path that does not exist, and for a method that has none', async () => {
    management = await TestManagement.start([web]);
    expect((await management.ask('/api/nothing')).status).toBe(404);
    expect((await management.ask('/api/services/web/wake')).status).toBe(404);
    expect((await management.ask('/api/services/%zz')).status).toBe(400);
  });
});

describe('the control socket', () => {
  it('is for its owner alone', async () => {
    management = await TestManagement.start([web]);
    const { mode } = await lstat(join(management.stateDir, 'control.sock'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('is gone once the server is closed, and closing twice is fine', async () => {
    management = await TestManagement.start([web]);
    await management.server.close();
    await management.server.close();
    await expect(lstat(management.socketPath)).rejects.toThrow('ENOENT');
  });
});

describe('a method that no route has', () => {
  it.each(['PROPFIND', 'LOCK'])('%s is answered as any other unknown request', async (method) => {
    management = await TestManagement.start([web]);
    const answer = await management.ask('/api/services', { method });
    expect(answer.status).toBe(404);
    expect(answer.json<ProblemAnswer>()).toMatchObject({
      code: 'not_found',
      detail: `There is no ${method} /api/services.`,
    });
  });
});
