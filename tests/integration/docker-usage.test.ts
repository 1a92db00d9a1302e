import { spawn, spawnSync } from 'node:child_process';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventBus } from '../../src/fleet/event-bus.ts';
import { Monitor } from '../../src/fleet/usage/monitor.ts';
import type { ObservedInstance, Usage } from '../../src/fleet/runtime.ts';
import type { Service } from '../../src/fleet/service/service.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import type { DockerRuntime } from '../../src/runtimes/docker/docker-runtime.ts';
import { DockerHarness } from '../support/set-ups/docker-harness.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { SocketRelay } from '../support/relays/socket-relay.ts';
import { until, untilPasses } from '../support/until.ts';

const hasDocker = await dockerAvailable();
const hasCommand = spawnSync('docker', ['--version']).status === 0;
if (hasDocker && !hasCommand)
  console.warn('skipped: the comparison with `docker stats`, for there is no docker command');

const CPUS = 0.5;
const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

interface Reading {
  /** Percent of one core. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

/** What `docker stats` says of a container, as it says it. */
function dockerStats(id: string): { readings: Reading[]; end: () => void } {
  const child = spawn('docker', ['stats', '--format', '{{.CPUPerc}} {{.MemUsage}}', id], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const readings: Reading[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    for (const [, cpu, memory, unit = ''] of chunk.toString().matchAll(/([\d.]+)% ([\d.]+)([KMG]?i?B) \//g)) {
      readings.push({ cpuPercent: Number(cpu), memoryBytes: Number(memory) * (UNITS[unit] ?? Number.NaN) });
    }
  });
  return { readings, end: () => void child.kill('SIGKILL') };
}

const within = (ours: number, theirs: number): boolean => Math.abs(ours - theirs) <= 0.05 * theirs;

describe.skipIf(!hasDocker || !hasCommand)('the use of a busy container', () => {
  let harness: DockerHarness;
  let runtime: DockerRuntime;
  let container: ObservedInstance;

  beforeAll(async () => {
    harness = new DockerHarness(await fixtureImage());
    runtime = await harness.open();
    const resources = { cpus: CPUS, memoryBytes: 256 * 2 ** 20 };
    container = await harness.launch(runtime, harness.spec({ resources }));
    const { host, port } = container.endpoints[3_000]!;
    await untilPasses(() => fetch(`http://${host}:${port}/burn`));
  });

  afterAll(() => harness.close());

  it('is within 5 % of what `docker stats` shows', async () => {
    const ending = new AbortController();
    const ours: Usage[] = [];
    const reading = (async () => {
      for await (const one of runtime.usage(container.runtimeId, ending.signal)) ours.push(one);
    })();
    await until(() => typeof ours.at(-1)?.cpuRatio === 'number');
    const stats = dockerStats(container.runtimeId);
    // Its first figure is the mean since the container was started, for want of a sample before.
    const shown = (): number[] =>
      [...new Set(stats.readings.map(({ cpuPercent }) => cpuPercent))].filter((each) => each > 0).slice(1);
    await until(() => shown().length > 4);
    stats.end();
    const seen = ours.length;
    await until(() => ours.length > seen);
    ending.abort();
    await reading;
    // The engine gives both the same counters: each figure is the same second as one of ours.
    const percents = ours.flatMap(({ cpuRatio }) => (cpuRatio === null ? [] : cpuRatio * CPUS * 100));
    console.log(
      'docker stats',
      shown(),
      'Reveille',
      percents.map((each) => Math.round(each * 100) / 100),
    );
    for (const theirs of shown()) expect(percents.some((each) => within(each, theirs))).toBe(true);
    for (const { memoryBytes } of stats.readings.filter((each) => each.memoryBytes > 0)) {
      expect(ours.some((each) => within(each.memoryBytes ?? 0, memoryBytes))).toBe(true);
    }
  });
});

describe.skipIf(!hasDocker)('the monitor of a container', () => {
  it('has one stream as long as it runs, anew when the connection breaks, and knows nothing, not zero, without it', async () => {
    const harness = new DockerHarness(await fixtureImage());
    const relay = new SocketRelay(parseDockerHost(undefined).options.socketPath ?? '');
    await relay.open();
    const runtime = await harness.open({ dockerHost: `unix://${relay.path}` });
    const [clock, log] = [new SystemClock(), pino({ level: 'silent' })];
    const monitor = new Monitor({
      ...{ runtime, bus: new EventBus(clock, log), clock, log },
      inFlight: () => 0,
      inCharge: () => true,
    });
    try {
      const spec = harness.spec();
      const { key, runtimeId } = await harness.launch(runtime, spec);
      const id = `${spec.name}-1`;
      const consider = (kind: string): void => {
        const instances = [{ id, key, runtimeId, state: { kind } }];
        monitor.consider({ name: spec.name, spec, instances } as unknown as Service);
      };
      const streams = (): number => relay.asked.filter((line) => line.includes('/stats')).length;
      const known = (): boolean => monitor.usageOf(spec.name, id) !== undefined;
      for (const kind of ['probing', 'ready', 'ready', 'unhealthy', 'ready']) consider(kind);
      await until(known);
      expect(streams()).toBe(1);
      relay.drop();
      await until(() => !known());
      await until(known);
      const opened = streams();
      expect(opened).toBeGreaterThan(1);

      // The stream of a container that was stopped ends, or goes on with zeros: neither is a reading.
      await runtime.stopInstance(runtimeId, 1_000);
      await until(() => !known());
      consider('stopped');
      expect(monitor.follows(spec.name, id)).toBe(false);
      const samples = monitor.samples(spec.name);
      expect(samples.length).toBeGreaterThan(0);
      expect(samples.every(({ memoryBytes }) => (memoryBytes ?? 0) > 0)).toBe(true);
    } finally {
      monitor.close();
      await harness.close();
      await relay.close();
    }
  }, 60_000);
});
