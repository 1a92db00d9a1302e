import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/lib/free-port.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { until } from '../support/until.ts';

const hasDocker = await dockerAvailable();

function services(image: string, publishedPort: number): Record<string, unknown> {
  const web = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    [name]: { routes: [name], image, ...more },
  });
  return {
    ...web('crowd'),
    ...web('late', { env: { READY_AFTER_MS: 3000 }, publish: [`127.0.0.1:${publishedPort}:3000`] }),
    ...web('room', { env: { READY_AFTER_MS: 1500 }, wake: { maxWaiting: 3 } }),
    ...web('lonely', { env: { READY_AFTER_MS: 2000 }, wake: { maxWaiting: 1 } }),
    // Long enough for what is started beside it.
    database: { image, env: { READY_AFTER_MS: 1000 }, readiness: { http: '/ping' } },
    migrate: { image, command: ['node', '-e', 'console.log("migrated")'], job: true, dependsOn: ['database'] },
    cache: { image, readiness: { http: '/ping' } },
    ...web('shop', { dependsOn: ['database', 'migrate', 'cache'] }),
    ...web('napping'),
    ...web('browsed', { env: { READY_AFTER_MS: 1200 }, wake: { pageAfter: '200ms' } }),
    ...web('untouched'),
    ...web('checked', { readiness: { docker: true } }),
  };
}

describe.skipIf(!hasDocker)('a wake', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    const image = await fixtureImage({ healthcheck: true });
    daemon = await Daemon.start({ services: services(image, await freePort()) });
  });

  afterAll(() => daemon.dispose());

  it('of a hundred simultaneous first requests is one start, and all are answered 200 (scenario 1)', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => daemon.ask('crowd')));

    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    expect(new Set(answers.map((answer) => answer.json()['boot'])).size).toBe(1);
    expect(await daemon.containers.count('crowd', 'start')).toBe(1);
    expect(await daemon.containers.count('crowd', 'create')).toBe(1);
  });

  it('holds a request until an app listens three seconds after its published port does (scenario 5)', async () => {
    const answer = await daemon.ask('late');

    expect(answer.status).toBe(200);
    const { startedAgoMs } = answer.json<{ startedAgoMs: number }>();
    expect(startedAgoMs).toBeGreaterThanOrEqual(3000);
    expect(daemon.log.filter(({ service, status }) => service === 'late' && Number(status) >= 500)).toEqual([]);
  });

  it('tells in Server-Timing where the time went', async () => {
    const first = await daemon.ask('checked');
    const again = await daemon.ask('checked');

    const timing = String(first.headers['server-timing']);
    expect(timing).toMatch(/^wake;dur=[\d.]+, start;dur=[\d.]+, ready;dur=[\d.]+$/);
    const [total = 0, ...parts] = [...timing.matchAll(/dur=([\d.]+)/g)].map(([, ms]) => Number(ms));
    expect(parts.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(total + 1);
    expect(again.headers['server-timing']).toBeUndefined();
  });

  it('answers those for whom the waiting room has no place with 503 and Retry-After', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => daemon.ask('room')));

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 503, 503]);
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.headers['retry-after']).toBe('1');
    expect(refused?.json()).toMatchObject({ code: 'waiting_room_full', status: 503 });
  });

  it('gives the place of a client that leaves to the next one', async () => {
    const leaving = new AbortController();
    const left = daemon.ask('lonely', { path: '/left', signal: leaving.signal }).catch((error: unknown) => error);
    await daemon.event('wake.requested', 'lonely');
    leaving.abort();
    await left;
    await until(() => daemon.log.some((line) => line['path'] === '/left' && line['code'] === 'client_left'));

    expect((await daemon.ask('lonely')).status).toBe(200);
  });

  it('starts dependencies first, side by side where it can, and a job before who needs it', async () => {
    const answer = await daemon.ask('shop');

    expect(answer.status).toBe(200);
    expect(answer.headers['server-timing']).toContain('dependencies;dur=');
    const steps = daemon.log
      .filter(({ event = '', service = '' }) => /^(instance|service)\./.test(event) && isOfShop(service))
      .map(({ event, service }) => `${String(service)} ${String(event)}`);
    const at = (step: string): number => steps.indexOf(step);
    expect(at('database instance.ready')).toBeLessThan(at('migrate instance.starting'));
    expect(at('cache instance.starting')).toBeLessThan(at('database instance.ready'));
    expect(at('migrate service.awake')).toBeLessThan(at('shop instance.starting'));
    expect(at('cache instance.ready')).toBeLessThan(at('shop instance.starting'));
    expect(steps).toEqual(expect.arrayContaining(['migrate instance.starting', 'migrate service.awake']));
    expect(steps).toEqual(expect.arrayContaining(['database instance.ready', 'cache instance.ready']));
    expect((await daemon.api('GET', '/services/migrate')).json()['status']).toBe('completed');
  });

  it('from a pause goes on where the app was, in no time', async () => {
    const before = (await daemon.ask('napping')).json();
    await daemon.api('POST', '/services/napping/sleep', { strategy: 'pause' });
    expect(await daemon.containers.states('napping')).toEqual(['paused']);

    const answer = await daemon.ask('napping');

    expect(answer.json()['boot']).toBe(before['boot']);
    expect(await daemon.containers.count('napping', 'start')).toBe(1);
    const [, wakeMs = ''] = /wake;dur=([\d.]+)/.exec(String(answer.headers['server-timing'])) ?? [];
    expect(Number(wakeMs)).toBeLessThan(10_000);
  });

  it('shows a browser the waiting page and holds everybody else', async () => {
    const [page, scripted] = await Promise.all([
      daemon.ask('browsed', { headers: { 'sec-fetch-mode': 'navigate', accept: 'text/html' } }),
      daemon.ask('browsed', { headers: { 'sec-fetch-mode': 'cors', accept: '*/*' } }),
    ]);

    expect(page.status).toBe(503);
    expect(page.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).toContain('browsed');
    expect(scripted.status).toBe(200);
  });

  it('is not caused by who asks for the status', async () => {
    const answer = await daemon.ask('untouched', { path: '/.well-known/reveille' });
    const awake = await daemon.ask('crowd', { path: '/.well-known/reveille' });

    expect(answer.json()).toEqual({ service: 'untouched', status: 'asleep' });
    expect(awake.json()).toEqual({ service: 'crowd', status: 'awake' });
    expect(daemon.events('wake.requested', 'untouched')).toEqual([]);
    expect(await daemon.containers.list('untouched')).toEqual([]);
  });
});

function isOfShop(service: string): boolean {
  return ['shop', 'database', 'migrate', 'cache'].includes(service);
}
