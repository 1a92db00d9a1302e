import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliContext } from '../../src/cli/cli-context.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { RuntimeError } from '../../src/fleet/errors.ts';
import type { LogAnswer, ServiceAnswer, WakeAnswer } from '../../src/management/contract.ts';
import { TestManagement, TOKEN } from '../support/set-ups/management.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { TestAuthority } from '../support/test-certificate.ts';
import { until } from '../support/until.ts';

const MAIN = resolve('src/cli/main.ts');
const TSX = import.meta.resolve('tsx');

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let management: TestManagement;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reveille-cli-'));
  const routes = [{ host: 'app.alkimia.localhost', path: '/', port: 3000 }];
  management = await TestManagement.start([
    serviceSpec({ name: 'backend', routes, scale: { min: 0, max: 2, cooldownMs: 1 } }),
    serviceSpec({ name: 'broken' }),
  ]);
  const logTail = ['Error: boom'];
  management.runtime.behave('broken', {
    startFails: new RuntimeError('instance_exited', 'broken-1 ended', { logTail }),
  });
  await writeFile(join(management.stateDir, 'admin-token'), `${TOKEN}\n`);
});
afterAll(async () => {
  await management.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a verb in a folder of its own, with nothing of this process's environment. */
async function reveille(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  let [out, err] = ['', ''];
  const context: CliContext = {
    environment: { STATE_DIR: management.stateDir, ...environment },
    folder,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    exitCode: 0,
  };
  const code = await runCli(args, context);
  return { code, out: colourless(out), err: colourless(err) };
}

/** A terminal may be told to show colours; whatever else commands it stays. */
function colourless(text: string): string {
  // eslint-disable-next-line no-control-regex -- colours are made of them
  return text.replaceAll(/\u001b\[\d+m/g, '');
}

/** The same as a program of its own. */
function spawnReveille(args: readonly string[]): ChildProcessWithoutNullStreams {
  const env = { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1', STATE_DIR: management.stateDir };
  return spawn(process.execPath, ['--import', TSX, MAIN, ...args], { cwd: folder, env });
}

async function ending(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, out, err };
}

describe('reveille', () => {
  it('wakes a service and says how long it took', async () => {
    const ran = await reveille(['wake', 'backend']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/^backend is awake after \d+ ms \(start \d+, ready \d+\)\n$/);
  });

  it('answers in JSON for machines, and shows no progress then', async () => {
    const ran = await reveille(['wake', 'backend', '--json']);
    expect(ran.err).toBe('');
    expect(JSON.parse(ran.out) as WakeAnswer).toMatchObject({ service: 'backend', status: 'awake' });
  });

  it('shows the reason and the last log lines of a wake that failed, and exits 1', async () => {
    const [text, json] = await Promise.all([reveille(['wake', 'broken']), reveille(['--json', 'wake', 'broken'])]);
    expect(text).toMatchObject({ code: 1, out: '' });
    expect(text.err).toContain('broken-1 ended');
    expect(text.err).toContain('Error: boom');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'instance_exited', logTail: ['Error: boom'] } });
  });

  it('names the services that there are, and the one that was meant', async () => {
    const ran = await reveille(['sleep', 'backnd']);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('There is no service backnd. Did you mean backend? There are: backend, broken.');
  });

  it('shows the status of all services, and of one', async () => {
    await management.post('/api/services/backend/wake');
    const [all, one] = await Promise.all([reveille(['status']), reveille(['status', 'backend', '--json'])]);
    expect(all.out).toMatch(/SERVICE +STATUS +READY +IN FLIGHT +URL/);
    expect(all.out).toMatch(/backend +awake +1\/1 +0 +https:\/\/app\.alkimia\.localhost:8443/);
    expect(JSON.parse(one.out) as ServiceAnswer).toMatchObject({ name: 'backend', instances: [{ id: 'backend-1' }] });
  });

  it('scales, restarts and puts to sleep', async () => {
    expect((await reveille(['scale', 'backend', '2'])).out).toMatch(/^backend: 2 wanted, [12] ready\n$/);
    expect((await reveille(['restart', 'backend'])).out).toContain('backend is awake');
    expect((await reveille(['sleep', 'backend'])).out).toBe('backend is asleep\n');
    expect((await reveille(['scale', 'backend', '9'])).err).toContain('0 to 2 instances');
  });

  it('prints log lines without the terminal commands in them', async () => {
    await management.post('/api/services/backend/wake');
    management.runtime.write('backend-1', 'hello \u001b]0;owned\u0007 \u001b[2Jthere');
    const [text, json] = await Promise.all([
      reveille(['logs', 'backend', '--tail', '1']),
      reveille(['logs', 'backend', '--json', '--tail', '1']),
    ]);
    expect(text.out).toMatch(/^backend-1 \| hello .*there\n$/);
    expect(text.out).not.toContain('\u001b');
    expect((JSON.parse(json.out) as LogAnswer).instance).toBe('backend-1');
  });

  it('follows log lines as they come', async () => {
    await management.post('/api/services/backend/wake');
    const child = spawnReveille(['logs', '-f', 'backend']);
    let out = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    await until(() => {
      management.runtime.write('backend-1', 'tick');
      return out.includes('tick');
    });
    child.kill();
    await new Promise((done) => child.on('close', done));
  });

  it('shows what happened', async () => {
    management.bus.emit('scale.up', 'backend', { from: 1, to: 2 });
    expect((await reveille(['events'])).out).toMatch(/backend {2}scale\.up {2}from=1 {2}to=2/);
  });

  it('shows in one line why an edit was refused', async () => {
    const detail = 'The manifest cannot be used:\n  services.web.port: must be a port';
    management.bus.emit('manifest.refused', 'proxy', { detail });
    const { out } = await reveille(['events']);
    expect(out).toContain('detail=The manifest cannot be used: services.web.port: must be a port\n');
  });

  it('shows what happened since a time, also in an earlier life of the daemon', async () => {
    const at = new Date(Date.now() - 3 * 86_400_000).toISOString();
    const cloudEvent = { specversion: '1.0', id: 'earlier-1', source: 'reveille/test', type: 'scale.up', time: at };
    const subject = 'backend';
    const told = { service: subject, subject, at, data: { from: 1 } };
    await management.store.saveEvents([{ _id: 'reveille/test#earlier-1', ...told, ...cloudEvent }]);
    const [since, recent, wrong] = await Promise.all([
      reveille(['events', '--since', '4d']),
      reveille(['events', '--since', '2d']),
      reveille(['events', '--since', '12']),
    ]);
    expect(since.out).toContain(new Date(at).toDateString());
    expect(since.out).toMatch(/backend {2}scale\.up {2}from=1\n/);
    expect(recent.out).not.toContain(new Date(at).toDateString());
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('how long ago');
  });

  it('says which socket it tried when no daemon answers', async () => {
    const stateDir = join(folder, 'nobody');
    const [text, json] = await Promise.all([
      reveille(['status'], { STATE_DIR: stateDir }),
      reveille(['wake', 'x', '--json'], { STATE_DIR: stateDir, ADMIN_TOKEN: TOKEN }),
    ]);
    expect(text.code).toBe(1);
    expect(text.err).toContain(join(stateDir, 'control.sock'));
    expect(text.err).toContain('Is it running?');
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'daemon_not_running' } });
  });

  it('is refused with another token', async () => {
    const ran = await reveille(['status'], { ADMIN_TOKEN: 'another-token-that-is-long-enough' });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('not the right one');
  });

  it.each([
    [['frobnicate']],
    [['wake']],
    [['scale', 'backend', 'many']],
    [['status', '--loud']],
    [['logs', 'x', '--tail', '-1']],
  ])('exits 2 for what it does not understand: %j', async (args) => {
    const ran = await reveille(args);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('error:');
  });

  it('does not take away what a running daemon needs', async () => {
    const ran = await reveille(['down'], { RUNTIME: 'process' });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('stop it first');
  });

  it('has nothing to take away where services ran as processes', async () => {
    const environment = { RUNTIME: 'process', STATE_DIR: join(folder, 'nobody') };
    const ran = await reveille(['down', '--json'], environment);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ removed: { containers: [], volumes: [] } });
  });

  it('shows what runs and what it uses, the busiest first', async () => {
    management.runtime.behave('backend', {
      usage: ({ key }) => ({ cpuRatio: key.index / 4, memoryBytes: 64 * 2 ** 20, memoryLimitBytes: 128 * 2 ** 20 }),
    });
    await management.fleet.managed('backend').scale(2);
    const read = (id: string) => management.fleet.monitor.usageOf('backend', id)?.cpuRatio;
    await until(() => read('backend-1') === 0.25 && read('backend-2') === 0.5);
    const { out, code } = await reveille(['top']);
    expect(code).toBe(0);
    expect(out).toMatch(/INSTANCE +STATE +CPU +MEMORY/);
    expect(out).toMatch(/backend-2 +ready +50 % +64 of 128 MB\n *backend-1 +ready +25 %/);
    const { instances } = JSON.parse((await reveille(['top', '--json'])).out) as { instances: unknown[] };
    expect(instances).toMatchObject([{ id: 'backend-2', cpuRatio: 0.5 }, { id: 'backend-1' }]);
    await management.fleet.managed('backend').scale(1);
    await management.fleet.managed('backend').sleep('operator', 'stop');
    expect((await reveille(['top'])).out).toBe('Nothing runs.\n');
  });
});

describe('reveille as a program', () => {
  it('tells the shell how it went, and ends by itself', async () => {
    const verbs = [['status'], ['wake', 'broken'], ['frobnicate'], ['down'], ['--help']];
    const ran = await Promise.all(verbs.map((args) => ending(spawnReveille(args))));
    expect(ran.map(({ code }) => code)).toEqual([0, 1, 2, 1, 0]);
    expect(ran[0]?.out).toContain('backend');
    expect(ran[2]?.err).toContain("unknown command 'frobnicate'");
    expect(ran[4]?.out).toContain('Usage: reveille');
  });

  it('is content when its reader has had enough', async () => {
    for (let n = 0; n < 1_000; n += 1) management.bus.emit('scale.up', 'backend', { filler: 'x'.repeat(500) });
    const child = spawnReveille(['events', '--json']);
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
  });
});

describe('reveille without a daemon', () => {
  const environment = { STATE_DIR: '.state', DOMAIN: 'cli.test', MANIFEST: 'manifest.mjs' };

  async function writeManifest(services: object): Promise<void> {
    await writeFile(join(folder, 'manifest.mjs'), `export default ${JSON.stringify({ services })};\n`);
  }

  it('checks settings and manifest', async () => {
    await writeManifest({ web: { image: 'nginx', routes: ['app'] } });
    const ran = await reveille(['check'], environment);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('1 service (web)');
  });

  it('lists everything that is wrong with both, each with its field, and exits 2', async () => {
    await writeManifest({ web: { image: 'nginx', port: 70_000, scale: { mim: 1 } } });
    const wrong = { ...environment, HTTPS_PORT: 'many', LOG_LEVEL: 'loud' };
    const [text, json] = await Promise.all([reveille(['check'], wrong), reveille(['check', '--json'], wrong)]);
    expect([text.code, json.code]).toEqual([2, 2]);
    const { ok, problems } = JSON.parse(json.out) as { ok: boolean; problems: { field: string }[] };
    expect(ok).toBe(false);
    expect(problems.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['HTTPS_PORT', 'LOG_LEVEL', 'services.web.port', expect.stringMatching(/scale/)]),
    );
    for (const { field } of problems) expect(text.out).toContain(field);
  });

  it('refuses a MONGO_DB_URI that is none, without a word of what stands in it', async () => {
    await writeManifest({ web: { image: 'nginx', routes: ['app'] } });
    const wrong = { ...environment, MONGO_DB_URI: 'mongodb://keeper:hunter2@host:port/?replicaSet=' };
    const ran = await reveille(['check'], wrong);
    expect(ran.code).toBe(2);
    expect(ran.out).toContain('MONGO_DB_URI');
    expect(ran.out + ran.err).not.toContain('hunter2');
    const right = { ...environment, MONGO_DB_URI: 'mongodb://keeper:hunter2@127.0.0.1:1/?replicaSet=rs0' };
    expect(await reveille(['check'], right)).toMatchObject({ code: 0, err: '' });
  });

  it('prints the lines for /etc/hosts, and what cannot stand there apart from them', async () => {
    await writeManifest({
      web: { image: 'nginx', routes: ['app', '*.preview', '@', { host: 'app', path: '/api' }] },
      database: { image: 'mongo:8', port: 27017, publish: ['127.0.0.1:27017:27017'] },
      inside: { image: 'redis' },
    });
    const ran = await reveille(['hosts'], environment);
    const names = ['app.cli.test', 'cli.test', 'database.cli.test', 'proxy.cli.test'];
    expect(ran.out).toBe(names.map((name) => `127.0.0.1 ${name}\n`).join(''));
    expect(ran.err).toContain('*.preview.cli.test');
  });

  it('tells of the certificates that are there, and what is wrong with them', async () => {
    const authority = await TestAuthority.make();
    await authority.write(join(folder, 'certs'), ['cli.test', '*.cli.test']);
    await mkdir(join(folder, 'certs', 'bad.test'));
    await writeFile(join(folder, 'certs', 'bad.test', 'fullchain.pem'), 'garbage');
    const [good, all] = [await reveille(['certs'], environment), await reveille(['certs', '--json'], environment)];
    expect(good.out).toContain('the default certificate');
    expect(good.out).toContain('*.cli.test');
    expect(all.code).toBe(1);
    const { certificates } = JSON.parse(all.out) as {
      certificates: { name: string; madeBy: string; problem?: string }[];
    };
    expect(certificates).toMatchObject([
      { name: '', madeBy: 'operator', names: ['cli.test', '*.cli.test'] },
      { name: 'bad.test', problem: expect.stringContaining('key.pem') as string },
    ]);
  });
});
