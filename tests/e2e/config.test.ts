import { Agent } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { localhostLookup } from '../../src/lib/localhost-lookup.ts';
import { Daemon, type LogLine } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { until, untilPasses } from '../support/until.ts';

const hasDocker = await dockerAvailable();
const STREAM_MS = 3000;
const EVERY_MS = 5;

describe.skipIf(!hasDocker)('an edit of the manifest of a running daemon', () => {
  let daemon: Daemon;
  let image = '';
  let services: Record<string, Record<string, unknown>>;

  beforeAll(async () => {
    image = await fixtureImage();
    services = {
      steady: { routes: ['steady'], image },
      changing: { routes: ['changing'], image, env: { COLOUR: 'red' } },
      leaving: { routes: ['leaving'], image },
    };
    daemon = await Daemon.start({ services });
    await Promise.all(Object.keys(services).map((name) => daemon.ask(name)));
  });

  afterAll(() => daemon.dispose());

  it('is refused whole for one bad route, with its field, and the old routes go on (scenario 18)', async () => {
    const bad = { ...services, added: { routes: ['added', 'not a host'], image } };
    await daemon.writeManifest(bad);

    const refused = await daemon.event('manifest.refused');

    expect(refused['detail']).toContain('services.added.routes');
    expect(refused['detail']).toContain('not a host');
    expect((await daemon.ask('added')).status).toBe(404);
    expect((await daemon.ask('steady')).status).toBe(200);
  });

  it('that cannot be read as TypeScript is refused with its line (scenario 18)', async () => {
    const before = daemon.events('manifest.refused').length;
    await daemon.writeManifest('export default {\n  services: {\n    web: { routes: ],\n  },\n};\n');
    await until(() => daemon.events('manifest.refused').length > before);

    expect(daemon.events('manifest.refused').at(-1)?.['detail']).toMatch(/services-manifest\.ts:3:\d+/);
    expect((await daemon.ask('steady')).status).toBe(200);
  });

  it('drops no request of a stream of two hundred a second, good or bad as it may be (scenario 18)', async () => {
    const agent = new Agent({ keepAlive: true, lookup: localhostLookup });
    const refusedBefore = daemon.events('manifest.refused').length;
    const [before] = await daemon.containers.list('steady');
    const stream = streamOf(STREAM_MS, EVERY_MS, () => daemon.ask('steady', { agent }).then(({ status }) => status));

    await daemon.writeManifest({ ...services, broken: { routes: ['steady'], image } });
    await until(() => daemon.events('manifest.refused').length > refusedBefore);
    services = { ...services, late: { routes: ['late'], image } };
    await daemon.writeManifest(services);
    await daemon.event('manifest.applied');
    const late = await daemon.ask('late');

    const statuses = await stream;
    agent.destroy();
    expect(late.status).toBe(200);
    expect(statuses.length).toBeGreaterThan((STREAM_MS / EVERY_MS) * 0.05);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect((await daemon.containers.list('steady')).map(({ Id }) => Id)).toEqual([before?.Id]);
  });

  it('replaces what its configuration changed, and nobody notices but by the new one', async () => {
    const [before] = await daemon.containers.list('changing');
    const stream = streamOf(STREAM_MS, 25, () => daemon.ask('changing').then(({ status }) => status));
    services = { ...services, changing: { routes: ['changing'], image, env: { COLOUR: 'blue' } } };
    await daemon.writeManifest(services);

    await untilPasses(async () =>
      expect((await daemon.ask('changing', { path: '/env' })).json()).toMatchObject({ COLOUR: 'blue' }),
    );
    expect((await stream).filter((status) => status !== 200)).toEqual([]);
    expect(await daemon.event('instance.stopped', 'changing')).toMatchObject({ reason: 'replaced' });
    await untilPasses(async () => expect(await daemon.containers.list('changing')).toHaveLength(1));
    expect((await daemon.containers.one('changing')).id).not.toBe(before?.Id);
  });

  it('removes the service that it no longer has, and its container', async () => {
    services = Object.fromEntries(Object.entries(services).filter(([name]) => name !== 'leaving'));
    await daemon.writeManifest(services);

    await untilPasses(async () => expect(await daemon.containers.list('leaving')).toEqual([]));
    expect((await daemon.ask('leaving')).status).toBe(404);
  });

  it('stands refused in `reveille status` until it is mended', async () => {
    const problems = async (): Promise<string> => (await daemon.cli('status')).output;
    await daemon.writeManifest({ ...services, added: { routes: ['not a host'], image } });
    await untilPasses(async () =>
      expect(await problems()).toMatch(
        /^! the edit of \S+services-manifest\.ts is refused, .*correct it and save: .*services\.added\.routes/m,
      ),
    );

    await daemon.writeManifest(services);
    await untilPasses(async () => expect(await problems()).not.toContain('refused'));
  });
});

describe('an edit of .env of a running daemon', () => {
  let daemon: Daemon | undefined;

  afterEach(() => daemon?.dispose());

  it('applies at once where it can, and names what waits for a restart', async () => {
    daemon = await Daemon.start({
      services: { elsewhere: { routes: ['elsewhere'], url: 'http://127.0.0.1:9' } },
      env: { RUNTIME: 'process' },
      unset: ['LOG_LEVEL', 'ACCESS_LOG'],
      withoutDocker: true,
    });
    const { client } = daemon;
    const status = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await client.ask(daemon?.host('proxy') ?? '', { path: '/api/services', headers })).status;
    };
    const [first, second] = ['first-token-'.repeat(4), 'second-token-'.repeat(4)];
    await daemon.writeEnv(`ADMIN_TOKEN=${first}\nACCESS_LOG=all\n`);
    await untilPasses(async () => expect(await status(first)).toBe(200));

    const isAnswer = (line: LogLine): boolean => line['path'] === '/api/services' && line['status'] === 200;
    await until(() => daemon?.log.some(isAnswer));

    await daemon.writeEnv(`ADMIN_TOKEN=${second}\nACCESS_LOG=off\nBUILD_TIMEOUT=5m\n`);
    await untilPasses(async () => expect(await status(second)).toBe(200));
    expect(await status(first)).toBe(401);
    await until(() => daemon?.log.some(({ msg }) => msg === 'restart needed: BUILD_TIMEOUT'));
    expect(daemon.output).not.toContain(first);
    expect(daemon.output).not.toContain(second);
  });

  it('is refused whole when a value is wrong', async () => {
    daemon = await Daemon.start({
      services: { elsewhere: { routes: ['elsewhere'], url: 'http://127.0.0.1:9' } },
      env: { RUNTIME: 'process' },
      unset: ['LOG_LEVEL'],
      withoutDocker: true,
    });
    await daemon.writeEnv('LOG_LEVEL=debug\nDRAIN_TIMEOUT=soon\n');

    expect((await daemon.event('manifest.refused'))['detail']).toContain('DRAIN_TIMEOUT');
    expect(daemon.log.some(({ msg }) => msg.includes('LOG_LEVEL changed'))).toBe(false);
  });
});

describe('code of the manifest that fails after it was read', () => {
  let daemon: Daemon | undefined;

  afterEach(() => daemon?.dispose());

  it('is told with its place, and ends nothing', async () => {
    const fails = `setTimeout(() => { throw new Error('the vault is shut'); }, 1);\n`;
    const manifest = `${fails}export default { services: { elsewhere: { routes: ['elsewhere'], url: 'http://127.0.0.1:9' } } };\n`;
    daemon = await Daemon.start({ manifest, env: { RUNTIME: 'process' }, withoutDocker: true });
    const told = (): LogLine | undefined => daemon?.log.find(({ msg }) => msg.includes('the vault is shut'));
    await until(told);

    expect(told()?.msg).toMatch(/services-manifest\.ts:1:\d+, the daemon goes on/);
    expect((await daemon.api('GET', '/services')).status).toBe(200);
  });
});

/** What scenario 39 asks for, each with the field that has to be named. */
const FORBIDDEN: Record<string, [field: string, service: Record<string, unknown>]> = {
  privileged: ['services.privileged.privileged', { privileged: true }],
  hosted: ['services.hosted.network', { network: 'host' }],
  engine: ['services.engine.volumes', { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] }],
  outside: ['services.outside.build', { image: undefined, build: { context: '.', dockerfile: '../../etc/passwd' } }],
  zero: ['services.zero.port', { port: 0 }],
  large: ['services.large.port', { port: 70_000 }],
  twin: ['services.twin.routes', { routes: ['plain'] }],
  typo: ['services.typo.slep', { slep: false }],
};

describe('a manifest that asks for what it may not have (scenario 39)', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    const entries = Object.entries(FORBIDDEN).map(([name, [, service]]): [string, unknown] => [
      name,
      { routes: [name], image: 'x:1', ...service },
    ]);
    const services = Object.fromEntries<unknown>([['plain', { routes: ['plain'], image: 'x:1' }], ...entries]);
    daemon = await Daemon.make({ services, withoutDocker: true });
  });

  afterAll(() => daemon.dispose());

  it('is refused by `reveille check` with every field at once and exit code 2', async () => {
    const { code, output } = await daemon.cli('check');

    expect(code).toBe(2);
    for (const [field] of Object.values(FORBIDDEN)) expect(output).toContain(field);
    expect(output).toMatch(/did you mean.*sleep/);
  });

  it('keeps the daemon from starting, with exit code 2', async () => {
    const { code, output } = await daemon.failedBoot();

    expect(code).toBe(2);
    for (const [field] of Object.values(FORBIDDEN)) expect(output).toContain(field);
  });
});

/** Begins `ask` every few milliseconds for so long; resolves with what all have brought, -1 for a failure. */
async function streamOf(forMs: number, everyMs: number, ask: () => Promise<number>): Promise<number[]> {
  const asked: Promise<number>[] = [];
  const endMs = performance.now() + forMs;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      asked.push(ask().catch(() => -1));
      if (performance.now() < endMs) return;
      clearInterval(timer);
      resolve();
    }, everyMs);
  });
  return Promise.all(asked);
}
