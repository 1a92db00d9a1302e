import { realpathSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ServiceSpec } from '../../../../src/config/service-spec.ts';
import type { ObservedInstance, Usage } from '../../../../src/fleet/runtime.ts';
import { SystemClock } from '../../../../src/lib/clock.ts';
import { ProcessRuntime } from '../../../../src/runtimes/process/process-runtime.ts';
import { processLives } from '../../../support/process-lives.ts';
import { serviceSpec } from '../../../support/samples/service-spec.ts';
import { until, untilPasses } from '../../../support/until.ts';

const cwd = realpathSync(tmpdir());
const options = { onProgress: (): void => undefined, signal: AbortSignal.timeout(600_000) };
const open = new Set<ProcessRuntime>();

function runtimeWith(environment: Record<string, string> = {}): ProcessRuntime {
  const log = pino({ level: 'silent' });
  const runtime = new ProcessRuntime({
    project: 'unit',
    clock: new SystemClock(),
    log,
    environment,
    closeGraceMs: 200,
  });
  open.add(runtime);
  return runtime;
}

afterEach(async () => {
  await Promise.all([...open].map((runtime) => runtime.close()));
  open.clear();
});

function shell(script: string, overrides: Partial<ServiceSpec> = {}): ServiceSpec {
  return serviceSpec({ process: { command: ['sh', '-c', script], cwd }, ...overrides });
}

async function launch(runtime: ProcessRuntime, spec: ServiceSpec): Promise<ObservedInstance> {
  const { runtimeId } = await runtime.create(spec, 1, await runtime.prepare(spec, options));
  return runtime.startInstance(runtimeId);
}

async function lines(runtime: ProcessRuntime, runtimeId: string, tail = 100): Promise<string[]> {
  const all: string[] = [];
  for await (const { text } of runtime.logs(runtimeId, { tail, follow: false })) all.push(text);
  return all;
}

async function untilExited(runtime: ProcessRuntime, runtimeId: string): Promise<ObservedInstance> {
  return until(async () => {
    const observed = await runtime.inspect(runtimeId);
    return observed?.state === 'exited' ? observed : undefined;
  });
}

/** What a command that ends by itself has written. */
async function output(spec: ServiceSpec, runtime = runtimeWith()): Promise<string[]> {
  const { runtimeId } = await launch(runtime, spec);
  await untilExited(runtime, runtimeId);
  return lines(runtime, runtimeId);
}

describe('the environment of a process', () => {
  it('has what the service asks for and its port, and none of the daemon’s secrets', async () => {
    vi.stubEnv('ADMIN_TOKEN', 'secret');
    vi.stubEnv('MONGO_DB_URI', 'mongodb://secret');
    vi.stubEnv('PORT', '1');
    const written = await output(
      shell('env; exit 0', { env: { GREETING: 'hello world' } }),
      runtimeWith({ EXTRA: 'ca' }),
    );
    vi.unstubAllEnvs();
    expect(written).toEqual(expect.arrayContaining(['GREETING=hello world', 'EXTRA=ca']));
    expect(written.find((line) => line.startsWith('PORT='))).toMatch(/^PORT=[23]\d{4}$/);
    expect(written.join('\n')).not.toContain('secret');
  });

  it('keeps variables that a shell could not set', async () => {
    const command = ['node', '-e', 'console.log(process.env["server.port"], process.env.A)'];
    const env = { 'server.port': '80', A: "it's $HOME" };
    expect(await output(serviceSpec({ process: { command, cwd }, env }))).toEqual(["80 it's $HOME"]);
  });

  it('passes arguments as they are', async () => {
    const command = ['node', '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', '', 'a b', '$HOME', '"'];
    expect(await output(serviceSpec({ process: { command, cwd } }))).toEqual([
      JSON.stringify(['', 'a b', '$HOME', '"']),
    ]);
  });

  it('has a closed input and the working directory that was given', async () => {
    expect(await output(shell('cat; pwd; exit 0'))).toEqual([cwd]);
  });
});

describe('a process that ends', () => {
  it('by a signal has the code 128 + n', async () => {
    const runtime = runtimeWith();
    const { runtimeId } = await launch(runtime, shell('kill -9 $$'));
    expect((await untilExited(runtime, runtimeId)).exit).toEqual({ code: 137, oomKilled: false });
  });

  it('has its last words in the log by the time it is seen to have ended, even without a line end', async () => {
    expect(await output(shell('echo first; printf last >&2; exit 1'))).toEqual(
      expect.arrayContaining(['first', 'last']),
    );
  });

  it('takes with it what it left running in its group', async () => {
    const runtime = runtimeWith();
    const { runtimeId } = await launch(runtime, shell('sleep 300 & echo $!; exit 0'));
    await untilExited(runtime, runtimeId);
    const [pid] = await lines(runtime, runtimeId);
    await untilPasses(() => expect(processLives(Number(pid))).toBe(false));
  });

  it('is not waited for by what left the group and keeps its output open', async () => {
    const runtime = runtimeWith();
    const script = `
      const escaped = require("child_process").spawn("sleep", ["60"], { detached: true, stdio: "inherit" });
      console.log(escaped.pid);
      escaped.unref();`;
    const { runtimeId } = await launch(runtime, serviceSpec({ process: { command: ['node', '-e', script], cwd } }));
    await untilExited(runtime, runtimeId);
    const [pid] = await lines(runtime, runtimeId);
    expect(processLives(Number(pid))).toBe(true);
    process.kill(Number(pid));
  });
});

describe('stopping a process', () => {
  it('reaches its whole group, and lets each finish within the grace', async () => {
    const runtime = runtimeWith();
    const child = 'trap "sleep 0.3; echo finished; exit 0" TERM; echo up; while :; do sleep 0.05; done';
    const { runtimeId } = await launch(runtime, shell(`sh -c '${child}' & wait`));
    await untilPasses(async () => expect(await lines(runtime, runtimeId)).toContain('up'));
    await runtime.stopInstance(runtimeId, 30_000);
    expect(await lines(runtime, runtimeId)).toContain('finished');
    expect(await runtime.inspect(runtimeId)).toMatchObject({ state: 'exited' });
  });

  it('kills the members that stay when their leader has gone', async () => {
    const runtime = runtimeWith();
    const { runtimeId } = await launch(
      runtime,
      shell(`sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done' & wait`),
    );
    await untilPasses(async () => expect(await lines(runtime, runtimeId)).toHaveLength(1));
    const [pid] = await lines(runtime, runtimeId);
    await runtime.stopInstance(runtimeId, 300);
    expect(processLives(Number(pid))).toBe(false);
  });

  it('is cut short by its removal', async () => {
    const runtime = runtimeWith();
    const { runtimeId } = await launch(runtime, shell('trap "" TERM; echo up; while :; do sleep 0.05; done'));
    await untilPasses(async () => expect(await lines(runtime, runtimeId)).toContain('up'));
    const startedAt = performance.now();
    await Promise.all([runtime.stopInstance(runtimeId, 20_000), runtime.removeInstance(runtimeId)]);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  it('happens to all of them when the runtime closes', async () => {
    const runtime = runtimeWith();
    const { runtimeId } = await launch(runtime, shell('echo $$; exec sleep 300'));
    await untilPasses(async () => expect(await lines(runtime, runtimeId)).toHaveLength(1));
    const [pid] = await lines(runtime, runtimeId);
    await Promise.all([runtime.close(), runtime.close()]);
    expect(processLives(Number(pid))).toBe(false);
    await expect(launch(runtime, shell('exit 0'))).rejects.toMatchObject({ code: 'runtime_unavailable' });
  });
});

describe('what cannot be run', () => {
  it('is a service without a process, and the message says what to do', async () => {
    const outcome = runtimeWith().prepare(serviceSpec({ name: 'db' }), options);
    await expect(outcome).rejects.toMatchObject({ code: 'not_runnable' });
    await expect(outcome).rejects.toThrow(/db .*`process`.*start Docker/s);
  });

  for (const [what, process] of [
    ['a command that is nowhere', { command: ['no-such-command'], cwd }],
    ['a file that may not be executed', { command: ['./'], cwd }],
    ['a directory that does not exist', { command: ['./run'], cwd: '/no/such/folder' }],
    ['a command that is found where its directory is not', { command: ['sh', '-c', 'exit 0'], cwd: '/no/such/folder' }],
  ] as const) {
    it(`is ${what}`, async () => {
      const runtime = runtimeWith();
      const spec = serviceSpec({ name: 'app', process });
      const { runtimeId } = await runtime.create(spec, 1, await runtime.prepare(spec, options));
      await expect(runtime.startInstance(runtimeId)).rejects.toMatchObject({ code: 'start_failed' });
      await expect(runtime.startInstance(runtimeId)).rejects.toThrow('app-1');
      expect(await runtime.inspect(runtimeId)).toMatchObject({ state: 'created', endpoints: {} });
    });
  }
});

describe('the usage of a process', () => {
  it('counts the whole group, in parts of the limit', async () => {
    const runtime = runtimeWith();
    const spec = shell('while :; do :; done & wait', { resources: { cpus: 0.25, memoryBytes: 1_000_000 } });
    const { runtimeId } = await launch(runtime, spec);
    const readings: Usage[] = [];
    for await (const reading of runtime.usage(runtimeId, options.signal)) {
      readings.push(reading);
      if (readings.length === 2) break;
    }
    expect(readings[0]?.cpuRatio).toBeNull();
    // A loop on a core of its own is 4 times a quarter; a busy machine leaves it less.
    expect(readings[1]?.cpuRatio).toBeGreaterThan(0.5);
    expect(readings[1]?.cpuRatio).toBeLessThan(4.5);
    expect(readings[1]?.memoryBytes).toBeGreaterThan(100_000);
  });
});

describe('a published port', () => {
  it('carries a half-close both ways', async () => {
    const runtime = runtimeWith();
    const hostPort = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' ? address!.port : 0));
      });
    });
    const script = `require('net').createServer({ allowHalfOpen: true }, (s) => { let n = 0;
      s.on('data', (d) => (n += d.length)); s.on('end', () => s.end('heard ' + n)); s.on('error', () => 0);
    }).listen(process.env.PORT, process.env.HOST, () => console.log('up'))`;
    const publish = [{ hostIp: '127.0.0.1', hostPort, containerPort: 3_000, protocol: 'tcp' as const }];
    const { runtimeId } = await launch(
      runtime,
      serviceSpec({ process: { command: ['node', '-e', script], cwd }, publish }),
    );
    await untilPasses(async () => expect(await lines(runtime, runtimeId)).toContain('up'));
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect({ host: '127.0.0.1', port: hostPort, allowHalfOpen: true });
      socket.on('data', (chunk) => (text += String(chunk)));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
      socket.end('x'.repeat(300_000));
    });
    expect(answer).toBe('heard 300000');
  });
});
