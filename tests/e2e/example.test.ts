import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launchChromium, visit } from '../support/clients/chromium.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable } from '../support/servers/docker.ts';
import { freePort } from '../../src/lib/free-port.ts';
import { until, untilPasses } from '../support/until.ts';

const hasDocker = await dockerAvailable();
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe.skipIf(!hasDocker)('the shipped example on real containers', () => {
  let daemon: Daemon;
  let publishedPort = 0;

  beforeAll(async () => {
    publishedPort = await freePort();
    // A copy, because its sources are edited here; and other daemons may have its published port.
    const shipped = await readFile(join(ROOT, 'services-manifest.ts'), 'utf8');
    const manifest = shipped
      .replace('./src/config/manifest.ts', join(ROOT, 'src/config/manifest.ts'))
      .replace('127.0.0.1:8888:', `127.0.0.1:${publishedPort}:`);
    daemon = await Daemon.make({ manifest });
    await cp(join(ROOT, 'apps'), join(daemon.dir, 'apps'), { recursive: true });
    await daemon.boot();
  });

  afterAll(() => daemon.dispose());

  it('builds and serves the frontend and the backend with their first requests', async () => {
    const [page, hello] = await Promise.all([daemon.ask('app'), daemon.ask('app', { path: '/api/hello?name=you' })]);

    expect([page.status, hello.status]).toEqual([200, 200]);
    expect(page.body).toContain('<html');
    expect(page.headers['server-timing']).toMatch(/build;dur=/);
    expect(hello.json()).toMatchObject({ message: 'Hello, you!', instance: 'backend-1' });
  }, 120_000);

  it.skipIf(chromiumPath === undefined)(
    'shows in a browser which instance answered, under its own public name too',
    async () => {
      const browser = await launchChromium();
      try {
        const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
        const url = `https://${daemon.host('app')}:${daemon.up.port}/`;
        await eventually(async () => {
          await visit(page, url);
          await page.getByText('backend-1').first().waitFor({ timeout: 3000 });
        });

        const isDirect = (line: Record<string, unknown>): boolean =>
          line['host'] === daemon.host('server') && line['path'] === '/api/instance' && line['status'] === 200;
        await eventually(async () => {
          await page.getByRole('button', { name: daemon.host('server') }).click();
          await until(() => daemon.log.some(isDirect), { timeout: 3_000 });
        });
      } finally {
        await browser.close();
      }
    },
  );

  it('lets a container wake another one by its public name, and trust its certificate', async () => {
    await daemon.ask('stress', { path: '/status' });
    await daemon.api('POST', '/services/backend/sleep');
    const wakes = daemon.events('service.awake', 'backend').length;

    const query = 'intensity=5&duration=1000&rps=20&concurrency=2';
    const begun = await daemon.ask('stress', { method: 'POST', path: `/stress?${query}` });

    expect(begun.status).toBe(202);
    expect(begun.json()['target']).toBe(`https://${daemon.host('server')}:${daemon.up.port}`);
    await until(() => daemon.events('service.awake', 'backend').length > wakes);
    const run = await until(async () => finished((await daemon.ask('stress', { path: '/status' })).json()), {
      interval: 100,
    });
    expect(run).toMatchObject({ phase: 'finished', backend: { status: 202 }, load: { failed: 0 } });
    expect(run.load.answered).toBeGreaterThan(0);
  }, 60_000);

  it('answers on the port that it publishes on this machine', async () => {
    const answer = await fetch(`http://127.0.0.1:${publishedPort}/ping`);

    expect(await answer.json()).toMatchObject({ pong: true });
  });

  it('shows an edit of a mounted source at once, and is not built again for it', async () => {
    const builds = daemon.events('build.started').length;
    const path = join(daemon.dir, 'apps/backend/backend.js');
    await writeFile(path, (await readFile(path, 'utf8')).replace('Hello, ', 'Good day, '));

    const hello = async (): Promise<unknown> => (await daemon.ask('server', { path: '/api/hello?name=you' })).json();
    await untilPasses(async () => expect(await hello()).toMatchObject({ message: 'Good day, you!' }));
    await daemon.api('POST', '/services/backend/sleep');
    expect(await hello()).toMatchObject({ message: 'Good day, you!' });
    expect(daemon.events('build.started')).toHaveLength(builds);
  });

  it('is gone without a trace after `reveille down`', async () => {
    await daemon.end('SIGTERM');

    const { code } = await daemon.cli('down', '--volumes');

    expect(code).toBe(0);
    expect(await daemon.containers.list()).toEqual([]);
    const networks = await daemon.containers.docker.listNetworks({ filters: { name: [`${daemon.name}-net`] } });
    expect(networks).toEqual([]);
  });
});

interface Run {
  readonly phase: string;
  readonly load: { readonly answered: number; readonly failed: number };
}

function finished({ run }: Record<string, unknown>): Run | undefined {
  const { phase } = run as Run;
  return phase === 'running' ? undefined : (run as Run);
}

/** Chromium gives up connections that it is making whenever an address of the machine changes, as with each container. */
function eventually(attempt: () => Promise<void>): Promise<void> {
  return untilPasses(attempt, { interval: 100 });
}
