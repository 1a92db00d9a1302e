import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { SPARING, until } from '../support/until.ts';

const hasDocker = await dockerAvailable();

describe.skipIf(!hasDocker)('a daemon that ends', () => {
  let image = '';
  let daemon: Daemon | undefined;

  beforeAll(async () => {
    image = await fixtureImage();
  });

  afterEach(async () => {
    await daemon?.dispose();
    daemon = undefined;
  });

  type Extra = Record<string, unknown>;
  const start = async (
    names: readonly string[],
    more: Extra = {},
    env: Record<string, string> = {},
  ): Promise<Daemon> => {
    const services = Object.fromEntries(names.map((name) => [name, { routes: [name], image, ...more }]));
    daemon = await Daemon.start({ services, env });
    return daemon;
  };

  it('by kill -9 adopts its three running containers, and serves them soon after its boot (scenario 6)', async () => {
    const names = ['one', 'two', 'three'];
    const { ask, containers, end, boot } = bound(await start(names));
    const before = await Promise.all(names.map((name) => ask(name)));
    const ids = (await containers.list()).map(({ Id }) => Id);

    await end('SIGKILL');
    expect((await containers.list()).map(({ State }) => State)).toEqual(['running', 'running', 'running']);
    await boot();
    const bootedMs = performance.now();
    const after = await Promise.all(names.map((name) => ask(name)));

    expect(performance.now() - bootedMs).toBeLessThan(20_000);
    expect(after.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(after.map((answer) => answer.json()['boot'])).toEqual(before.map((answer) => answer.json()['boot']));
    expect((await containers.list()).map(({ Id }) => Id)).toEqual(ids);
    for (const name of names) expect(await containers.count(name, 'start')).toBe(1);
  });

  it('by kill -9 in the middle of a wake goes on with the same container', async () => {
    const { ask, containers, end, boot, log } = bound(await start(['slow'], { env: { READY_AFTER_MS: 6000 } }));
    const cut = ask('slow').catch((error: unknown) => error);
    await until(async () => (await containers.states('slow'))[0] === 'running');

    await end('SIGKILL');
    expect(await cut).toBeInstanceOf(Error);
    await boot();
    const answer = await ask('slow');

    expect(answer.status).toBe(200);
    expect(await containers.count('slow', 'start')).toBe(1);
    expect(log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  it('by SIGTERM lets twenty slow requests finish, takes no new ones and exits with 0 (scenario 9)', async () => {
    const { ask, containers, end } = bound(await start(['busy']));
    await ask('busy');
    const slow = Array.from({ length: 20 }, () => ask('busy', { path: '/slow?ms=6000' }));
    await until(async () => (await inFlight(daemon)) === 20, SPARING);

    const ended = end('SIGTERM');
    await until(() => daemon?.log.some(({ msg }) => msg.startsWith('SIGTERM')));
    // One that comes while it closes may still be cut.
    await until(async () => (await ask('busy').catch(codeOf)) === 'ECONNREFUSED');

    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await ended).toBe(0);
    expect(await containers.states('busy')).toEqual(['running']);
  });

  it('by SIGTERM during a wake does not leave the requests hanging that wait for it', async () => {
    const { ask, end } = bound(await start(['never'], { env: { READY_AFTER_MS: 600_000 } }, { DRAIN_TIMEOUT: '3s' }));
    const waiting = ask('never');
    await daemon?.event('instance.starting', 'never');

    const begunMs = performance.now();
    const [answer, code] = await Promise.all([waiting, end('SIGTERM')]);

    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(code).toBe(0);
    expect(performance.now() - begunMs).toBeLessThan(30_000);
  });
});

/** The parts of a daemon that these tests use, to be called without it. */
function bound(daemon: Daemon): {
  ask: Daemon['ask'];
  end: Daemon['end'];
  boot: Daemon['boot'];
  containers: Daemon['containers'];
  log: () => Daemon['log'];
} {
  return {
    ask: daemon.ask.bind(daemon),
    end: daemon.end.bind(daemon),
    boot: daemon.boot.bind(daemon),
    containers: daemon.containers,
    log: () => daemon.log,
  };
}

async function inFlight(daemon: Daemon | undefined): Promise<unknown> {
  return (await daemon?.api('GET', '/services/busy'))?.json()['inFlight'];
}

function codeOf(error: NodeJS.ErrnoException): string | undefined {
  return error.code;
}
