import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { processesWith } from '../support/processes.ts';
import { untilPasses } from '../support/until.ts';

const SHIPPED = fileURLToPath(new URL('../../services-manifest.ts', import.meta.url));

describe.skipIf(process.platform !== 'linux')('the first minute on a machine without a container engine', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    daemon = await Daemon.start({
      env: { MANIFEST: SHIPPED, LOG_FORMAT: 'pretty', DOCKER_HOST: `unix://${join(tmpdir(), 'rv-no-such.sock')}` },
      unset: ['RUNTIME', 'LOG_LEVEL', 'ACCESS_LOG', 'PROJECT', 'DOCKER_NETWORK'],
      withoutDocker: true,
    });
  });

  afterAll(() => daemon.dispose());

  it('runs the shipped services as processes, and tells how to get an engine', () => {
    expect(daemon.up.runtime).toBe('process');
    expect(daemon.output).toContain('No container engine: services run as processes');
    expect(daemon.output).toMatch(/install Docker and start again/);
    for (const host of ['app', 'server', 'stress', 'proxy']) {
      expect(daemon.output).toContain(`https://${daemon.host(host)}:${daemon.up.port}`);
    }
  });

  it('serves the page, and the backend behind it and under its own name', async () => {
    const page = await daemon.ask('app', { headers: { accept: 'application/octet-stream' } });
    const [behind, direct] = await Promise.all([
      daemon.ask('app', { path: '/api/hello?name=you' }),
      daemon.ask('server', { path: '/api/instance' }),
    ]);

    expect(page.status).toBe(200);
    expect(page.body).toContain('<html');
    expect(behind.json()).toMatchObject({ message: 'Hello, you!', instance: 'backend-1' });
    expect(direct.json()).toMatchObject({ instance: 'backend-1', service: 'backend' });
  });

  it('lets a process trust the certificates, so that it reaches the others by their public names', async () => {
    const answer = await daemon.ask('app', { path: '/backend-status' });

    expect(answer.json()).toEqual({ status: 'awake' });
  });

  it('says so in its health', async () => {
    const health = (await daemon.api('GET', '/health')).json<{ runtime: Record<string, unknown> }>();

    expect(health.runtime).toMatchObject({ kind: 'process', up: true });
    expect(health.runtime['fallback']).toContain('No container engine');
  });

  it('leaves no process behind, even when the daemon is killed', async () => {
    const ours = `REVEILLE_DOMAIN=${daemon.domain}`;
    expect(processesWith(ours).length).toBeGreaterThanOrEqual(2);

    await daemon.end('SIGKILL');

    await untilPasses(() => expect(processesWith(ours)).toEqual([]));
  });
});
