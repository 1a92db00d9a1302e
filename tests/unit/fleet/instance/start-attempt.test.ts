import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../../src/config/service-spec.ts';
import { RuntimeError } from '../../../../src/fleet/errors.ts';
import { Readiness } from '../../../../src/fleet/instance/readiness.ts';
import type { ObservedInstance } from '../../../../src/fleet/runtime.ts';
import { StartAttempt, type Started } from '../../../../src/fleet/instance/start-attempt.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { FakeRuntime } from '../../../support/fakes/fake-runtime.ts';
import { fleetSpec } from '../../../support/set-ups/fleet.ts';
import { ScriptedProber, silence } from '../../../support/fakes/scripted-prober.ts';
import { watch, type Watched } from '../../../support/watch.ts';

const PREPARE = { onProgress: () => undefined, signal: new AbortController().signal };

class Bench {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime({ clock: this.clock });
  readonly prober = new ScriptedProber();
  readonly spec: ServiceSpec;
  readonly attempt: StartAttempt;
  started = 0;

  constructor(changes: Partial<ServiceSpec> = {}) {
    this.spec = fleetSpec('web', changes);
    const { clock, runtime, prober } = this;
    const readiness = new Readiness({ runtime, prober, clock });
    this.attempt = new StartAttempt(this.spec, { runtime, clock, readiness, stopGraceMs: 10_000 });
  }

  run(begin: () => Promise<ObservedInstance> = () => this.begin()): Watched<Started> {
    return watch(this.attempt.run(begin, () => (this.started += 1)));
  }

  async begin(): Promise<ObservedInstance> {
    const prepared = await this.runtime.prepare(this.spec, PREPARE);
    const { runtimeId } = await this.runtime.create(this.spec, 1, prepared);
    return this.runtime.startInstance(runtimeId);
  }
}

function codeOf({ error }: Watched<unknown>): string | undefined {
  return error instanceof RuntimeError ? error.code : undefined;
}

describe('an attempt to start', () => {
  it('ends when the instance serves, with the times of its parts', async () => {
    const bench = new Bench();
    bench.runtime.behave('web', { startMs: 200 });
    bench.prober.refuse('web');
    const run = bench.run();
    await bench.clock.advanceAsync(250);
    expect([run.settled, bench.started]).toEqual([false, 1]);
    bench.prober.accept('web');
    await bench.clock.advanceAsync(10);
    expect(run.value?.timings).toEqual({ startMs: 200, readyMs: 60 });
    expect(run.value?.instance.state).toBe('running');
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('passes on why it could not even begin, and stops nothing', async () => {
    const bench = new Bench();
    bench.runtime.behave('web', { createFails: new RuntimeError('port_taken', 'web: port 80 is taken') });
    const run = bench.run();
    await bench.clock.advanceAsync(0);
    expect(codeOf(run)).toBe('port_taken');
    expect([bench.started, bench.runtime.count('stop')]).toEqual([0, 0]);
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('whose instance had ended before the runtime answered tells how it ended', async () => {
    const bench = new Bench();
    bench.runtime.behave('web', { writes: [{ stream: 'stderr', text: 'exec format error' }] });
    const run = bench.run(async () => {
      const { runtimeId } = await bench.begin();
      bench.runtime.exit('web-1', 126);
      return (await bench.runtime.inspect(runtimeId))!;
    });
    await bench.clock.advanceAsync(0);
    expect(codeOf(run)).toBe('instance_exited');
    expect(run.error).toMatchObject({
      message: expect.stringContaining('exit code 126') as string,
      logTail: ['exec format error'],
    });
  });

  it('of a job that had ended before the runtime answered is a success', async () => {
    const bench = new Bench({ job: true });
    const run = bench.run(async () => {
      const { runtimeId } = await bench.begin();
      bench.runtime.exit('web-1', 0);
      return (await bench.runtime.inspect(runtimeId))!;
    });
    await bench.clock.advanceAsync(0);
    expect(run.value).toBeDefined();
    expect(bench.prober.calls).toEqual([]);
  });

  it('looks once a second whether the instance still runs', async () => {
    const bench = new Bench();
    bench.prober.refuse('web');
    const run = bench.run();
    await bench.clock.advanceAsync(1_500);
    bench.runtime.exit('web-1', 1);
    await bench.clock.advanceAsync(499);
    expect(run.settled).toBe(false);
    await bench.clock.advanceAsync(1);
    expect(codeOf(run)).toBe('instance_exited');
  });

  it('ends when the instance has lost its address, which one that goes on after a pause seemed to keep', async () => {
    const bench = new Bench();
    bench.prober.refuse('web');
    const run = bench.run(async () => {
      const { runtimeId } = await bench.begin();
      await bench.runtime.pauseInstance(runtimeId);
      const resting = (await bench.runtime.inspect(runtimeId))!;
      bench.attempt.resumes(resting);
      bench.runtime.unplug('web-1');
      await bench.runtime.startInstance(runtimeId);
      return { ...resting, state: 'running' };
    });
    await bench.clock.advanceAsync(1_000);
    expect(codeOf(run)).toBe('start_failed');
    expect(run.error).toMatchObject({ message: expect.stringContaining('lost its address') as string });
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('lets a job end that has lost its address, for nobody calls it', async () => {
    const bench = new Bench({ job: true });
    const run = bench.run();
    await bench.clock.advanceAsync(0);
    bench.runtime.unplug('web-1');
    await bench.clock.advanceAsync(1_000);
    expect(run.settled).toBe(false);
    bench.runtime.exit('web-1', 0);
    await bench.clock.advanceAsync(1_000);
    expect(run.value).toBeDefined();
  });

  it('goes on while the runtime is away for a moment', async () => {
    const bench = new Bench();
    bench.prober.refuse('web');
    const run = bench.run();
    await bench.clock.advanceAsync(500);
    bench.runtime.setCondition({ up: false, code: 'unreachable', reason: 'no socket' });
    await bench.clock.advanceAsync(3_000);
    expect(run.settled).toBe(false);
    bench.runtime.setCondition({ up: true });
    bench.prober.accept('web');
    await bench.clock.advanceAsync(100);
    expect(run.value).toBeDefined();
  });

  it('takes one that has vanished for one that has ended', async () => {
    const bench = new Bench();
    bench.prober.refuse('web');
    const run = bench.run();
    await bench.clock.advanceAsync(500);
    const [{ runtimeId }] = (await bench.runtime.list()) as [ObservedInstance];
    await bench.runtime.removeInstance(runtimeId);
    await bench.attempt.look();
    await bench.clock.advanceAsync(0);
    expect(codeOf(run)).toBe('instance_exited');
  });

  it('ends at wake.timeout, and stops what does not serve when it is cleared', async () => {
    const bench = new Bench();
    bench.prober.refuse('web');
    const run = bench.run();
    await bench.clock.advanceAsync(60_000);
    expect(codeOf(run)).toBe('not_ready_in_time');
    expect(bench.runtime.count('stop', 'web-1')).toBe(0);
    await bench.attempt.clear();
    expect(bench.runtime.count('stop', 'web-1')).toBe(1);
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('keeps its reason when the stop fails as well', async () => {
    const bench = new Bench();
    bench.prober.refuse('web');
    const run = bench.run();
    await bench.clock.advanceAsync(59_000);
    bench.runtime.setCondition({ up: false, code: 'unreachable', reason: 'no socket' });
    await bench.clock.advanceAsync(1_000);
    expect(codeOf(run)).toBe('not_ready_in_time');
    await expect(bench.attempt.clear()).resolves.toBeUndefined();
  });

  it('that is called off while the runtime starts the instance stops it when it is cleared', async () => {
    const bench = new Bench();
    bench.runtime.behave('web', { startMs: 500 });
    const run = bench.run();
    await bench.clock.advanceAsync(100);
    bench.attempt.cancel(new RuntimeError('start_cancelled', 'web was put to sleep'));
    await bench.clock.advanceAsync(400);
    expect(codeOf(run)).toBe('start_cancelled');
    await bench.attempt.clear();
    expect(bench.runtime.count('stop', 'web-1')).toBe(1);
    expect(bench.prober.calls).toEqual([]);
  });

  it('of a job waits for its end, without a probe', async () => {
    const bench = new Bench({ job: true });
    bench.runtime.behave('web', { exits: { code: 0, afterMs: 5_500 } });
    const run = bench.run();
    await bench.clock.advanceAsync(5_500);
    await bench.attempt.look();
    await bench.clock.advanceAsync(0);
    expect(run.value?.timings.readyMs).toBe(5_500);
    expect(bench.prober.calls).toEqual([]);
  });

  it('of a job that ends badly tells its exit code', async () => {
    const bench = new Bench({ job: true });
    bench.runtime.behave('web', { exits: { code: 2, afterMs: 100 } });
    const run = bench.run();
    await bench.clock.advanceAsync(1_000);
    expect(codeOf(run)).toBe('job_failed');
  });
});

describe('an instance that was paused', () => {
  async function paused(changes: Partial<ServiceSpec> = {}): Promise<{ bench: Bench; resting: ObservedInstance }> {
    const bench = new Bench(changes);
    const { runtimeId } = await bench.begin();
    await bench.runtime.pauseInstance(runtimeId);
    const resting = (await bench.runtime.inspect(runtimeId))!;
    bench.prober.calls.length = 0;
    return { bench, resting };
  }

  const thaw = (bench: Bench, resting: ObservedInstance) => (): Promise<ObservedInstance> => {
    bench.attempt.resumes(resting);
    return bench.runtime.startInstance(resting.runtimeId);
  };

  it('serves as soon as it answers, before the engine says that it runs', async () => {
    const { bench, resting } = await paused();
    const release = bench.runtime.hold('start');
    const run = bench.run(thaw(bench, resting));
    await bench.clock.advanceAsync(0);
    expect(run.value?.instance).toMatchObject({ state: 'running', endpoints: resting.endpoints });
    expect(bench.prober.calls).toHaveLength(1);
    release();
    await bench.clock.advanceAsync(0);
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('is asked once, however late the answer, when the engine has said before that it runs', async () => {
    const { bench, resting } = await paused();
    let answer!: (result: { ok: true }) => void;
    bench.prober.script = () => new Promise((resolve) => (answer = resolve));
    const run = bench.run(thaw(bench, resting));
    await bench.clock.advanceAsync(3_000);
    expect([run.settled, bench.started]).toEqual([false, 1]);
    answer({ ok: true });
    await bench.clock.advanceAsync(0);
    expect(run.value?.instance.state).toBe('running');
    expect(bench.prober.calls).toHaveLength(1);
  });

  it('has all its probes still to come when it did not answer while it was thawed', async () => {
    const { bench, resting } = await paused({
      readiness: { ...fleetSpec('web').readiness, intervalMs: 10, retries: 2 },
    });
    bench.prober.refuse('web');
    const run = bench.run(thaw(bench, resting));
    await bench.clock.advanceAsync(100);
    expect(codeOf(run)).toBe('probe_failed');
    expect(bench.prober.calls).toHaveLength(3);
  });

  it.each([
    ['a connection', { kind: 'tcp' as const }],
    ['a command', { kind: 'exec' as const, command: ['check'] }],
  ])('is not asked by %s, which proves nothing while it is frozen', async (_what, strategy) => {
    const { bench, resting } = await paused({ readiness: { ...fleetSpec('web').readiness, strategy } });
    const release = bench.runtime.hold('start');
    const run = bench.run(thaw(bench, resting));
    await bench.clock.advanceAsync(1_000);
    expect([run.settled, bench.prober.calls.length, bench.runtime.count('exec')]).toEqual([false, 0, 0]);
    release();
    await bench.clock.advanceAsync(0);
    expect(run.value).toBeDefined();
  });

  it('fails as any other when it neither answers nor can be thawed', async () => {
    const { bench, resting } = await paused();
    bench.prober.refuse('web');
    bench.attempt.resumes(resting);
    const run = bench.run(() => Promise.reject(new RuntimeError('start_failed', 'web cannot be thawed')));
    await bench.clock.advanceAsync(0);
    expect(codeOf(run)).toBe('start_failed');
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('that is to sleep again is given up, whatever it answers', async () => {
    const { bench, resting } = await paused();
    bench.prober.script = (_call, signal) => silence(signal);
    const release = bench.runtime.hold('start');
    const run = bench.run(thaw(bench, resting));
    await bench.clock.advanceAsync(0);
    bench.attempt.cancel(new RuntimeError('start_cancelled', 'web was put to sleep'));
    release();
    await bench.clock.advanceAsync(0);
    expect(codeOf(run)).toBe('start_cancelled');
    expect(bench.clock.pendingCount).toBe(0);
  });
});
