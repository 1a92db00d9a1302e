import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthAnswer } from '../../src/management/contract.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { EmbeddedStore } from '../../src/stores/embedded/embedded-store.ts';
import { SmallDisk } from '../support/servers/small-disk.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { SPARING, until } from '../support/until.ts';

const refusal = process.platform === 'linux' ? SmallDisk.refusal() : 'it needs a tmpfs of Linux';
if (refusal !== undefined) console.warn(`skipped: tests with a full disk, for ${refusal}`);
const SERVER = `require('node:http').createServer((_, answer) => answer.end('served')).listen(process.env.PORT)`;

describe.skipIf(refusal !== undefined)('a daemon whose disk is full', () => {
  let daemon: Daemon;
  let disk: SmallDisk;

  beforeAll(async () => {
    daemon = await Daemon.make({
      services: { web: { routes: ['web'], process: { command: [process.execPath, '-e', SERVER] } } },
      env: { RUNTIME: 'process' },
      withoutDocker: true,
    });
    disk = await SmallDisk.mount(join(daemon.dir, 'state'), '1m');
    await daemon.boot();
  });

  afterAll(async () => {
    if (daemon.pid !== 0) await daemon.end('SIGKILL');
    disk.unmount();
    await daemon.dispose();
  });

  const health = async (): Promise<HealthAnswer> => (await daemon.api('GET', '/health')).json<HealthAnswer>();
  const told = (): string[] =>
    daemon.log.filter(({ level, msg }) => Number(level) >= 30 && /^the state/i.test(msg)).map(({ msg }) => msg);

  async function degraded(): Promise<void> {
    await until(async () => (await health()).status === 'degraded', SPARING);
    expect((await health()).problems).toEqual([expect.stringMatching(/embedded store takes nothing: .*disk is full/)]);
  }

  async function healthy(): Promise<void> {
    await until(async () => (await health()).status === 'ok', SPARING);
  }

  async function sleepAndServe(): Promise<void> {
    expect((await daemon.api('POST', '/services/web/sleep')).status).toBe(200);
    const answer = await daemon.ask('web');
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: 'served' });
  }

  it('serves, wakes and sleeps, and says so and why, once', async () => {
    expect((await daemon.ask('web')).body).toBe('served');
    await disk.fill();
    await sleepAndServe();
    await degraded();
    // What is read in the meantime is no sign that it can be written again.
    await daemon.api('GET', '/services/web/samples?since=2026-01-01T00:00:00Z');
    await sleepAndServe();
    await degraded();
    expect((await daemon.cli('status')).output).toContain('disk is full');
    expect(told()).toEqual([expect.stringContaining('disk is full')]);
  });

  it('writes all that it could not, once, when there is room again', async () => {
    await disk.free();
    await healthy();
    expect(told()).toEqual([expect.stringContaining('disk is full'), 'the state store works again']);
    const events = daemon.log.flatMap(({ event, service }) =>
      service === 'web' && event !== undefined ? [event] : [],
    );
    expect(await daemon.end('SIGTERM')).toBe(0);
    const store = new EmbeddedStore({ stateDir: disk.path, clock: new SystemClock(), log: pino({ level: 'silent' }) });
    await store.start();
    const stored = (await store.listEvents({ service: 'web', limit: 1_000 })).map(({ type }) => type);
    expect(await store.getService('web')).toMatchObject({ status: expect.stringMatching(/awake|asleep/) as string });
    await store.close();
    expect(events.filter((type) => type === 'service.asleep')).toHaveLength(2);
    expect([...stored].sort()).toEqual([...events].sort());
  });

  it('starts and serves all the same, and keeps what it knows when there is room', async () => {
    await disk.fill();
    await daemon.boot();
    expect((await daemon.ask('web')).body).toBe('served');
    await degraded();
    await disk.free();
    await healthy();
    expect(told()).toEqual([expect.stringContaining('disk is full'), 'the state store works again']);
  });
});
