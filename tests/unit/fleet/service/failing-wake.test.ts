import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../../../../src/fleet/errors.ts';
import { WakeFailed } from '../../../../src/seam/wake-failed.ts';
import { failureCode, fleetSpec, FleetHarness, startFleet, watch } from '../../../support/set-ups/fleet.ts';

const DOWN = { up: false, code: 'unreachable', reason: 'no socket' } as const;

async function failOnce(harness: FleetHarness, ms = 10): Promise<string | undefined> {
  const wake = watch(harness.fleet.wake('web'));
  await harness.pass(ms);
  return failureCode(wake);
}

async function failing(code = 1): Promise<FleetHarness> {
  const harness = await startFleet(fleetSpec('web'));
  harness.prober.refuse('web');
  harness.runtime.behave('web', { exits: { code, afterMs: 5, says: 'no such file' } });
  return harness;
}

describe('a wake that fails', () => {
  it('is answered at once with the reason and the last lines of the log', async () => {
    const harness = await failing(7);
    const waits = [1, 2, 3].map(() => watch(harness.fleet.wake('web')));
    await harness.pass(10);
    for (const { error } of waits) {
      expect(error).toBeInstanceOf(WakeFailed);
      expect((error as WakeFailed).failure).toMatchObject({ code: 'instance_exited', logTail: ['no such file'] });
    }
    expect(harness.service('web').failure?.detail).toContain('web ended with exit code 7');
    expect(harness.data.view('web')).toMatchObject({ status: 'failed', failure: { code: 'instance_exited' } });
    expect(harness.eventTypes('web')).toEqual(['wake.requested', 'instance.starting', 'service.failed']);
    expect(harness.eventsOf('service.failed')[0]?.data).toMatchObject({
      code: 'instance_exited',
      logTail: ['no such file'],
    });
  });

  it('tells nothing of what the run before has written', async () => {
    const harness = await failing();
    await failOnce(harness);
    harness.runtime.behave('web', { exits: { code: 1, afterMs: 5, says: 'still no such file' } });
    await failOnce(harness);
    expect(harness.runtime.starts('web')).toBe(2);
    expect(harness.service('web').failure?.logTail).toEqual(['still no such file']);
  });

  it('is answered before what does not serve has been stopped, and the next start waits for that', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.prober.refuse('web');
    const release = harness.runtime.hold('stop', 'web-1');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(60_000);
    expect(failureCode(wake)).toBe('not_ready_in_time');

    harness.prober.accept('web');
    const next = watch(harness.service('web').wake('operator'));
    await harness.pass(1_000);
    expect(harness.runtime.count('start', 'web-1')).toBe(1);
    release();
    await harness.pass(1_000);
    expect(next.value).toBeDefined();
    expect(harness.runtime.count('start', 'web-1')).toBe(2);
  });

  it('ends also when nobody told that the instance has ended', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.prober.refuse('web');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(100);
    harness.runtime.deaf(() => harness.runtime.exit('web-1', 1));
    await harness.pass(800);
    expect(wake.settled).toBe(false);
    await harness.pass(100);
    expect(failureCode(wake)).toBe('instance_exited');
  });

  it('because it is never ready ends at wake.timeout, and leaves nothing running', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.behave('web', { writes: [{ stream: 'stdout', text: 'warming up' }] });
    harness.prober.refuse('web');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(59_999);
    expect(wake.settled).toBe(false);
    await harness.pass(1);
    expect(failureCode(wake)).toBe('not_ready_in_time');
    expect(harness.service('web').failure?.logTail).toEqual(['warming up']);
    expect(harness.runtime.count('stop', 'web-1')).toBe(1);
    expect(harness.states('web')).toEqual(['failed']);
  });

  it('for want of memory says so', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.prober.refuse('web');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(100);
    harness.runtime.oom('web-1');
    await harness.pass();
    expect(failureCode(wake)).toBe('out_of_memory');
  });

  it.each([
    ['prepareFails', 'image_missing'],
    ['createFails', 'port_taken'],
    ['startFails', 'start_failed'],
  ] as const)('in the runtime (%s) passes the reason on', async (where, code) => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.behave('web', { [where]: new RuntimeError(code, 'web: that is how it is') });
    expect(await failOnce(harness, 0)).toBe(code);
    expect(harness.data.view('web').failure?.detail).toBe('web: that is how it is');
  });

  it('in a build is told with the end of its output', async () => {
    const harness = await startFleet(fleetSpec('web'));
    const prepareFails = new RuntimeError('build_failed', 'web: step 2 failed', { logTail: ['npm: not found'] });
    harness.runtime.behave('web', { progress: [{ phase: 'build', detail: 'Step 1/2' }], prepareFails });
    expect(await failOnce(harness)).toBe('build_failed');
    expect(harness.eventTypes('web')).toEqual(['wake.requested', 'build.started', 'build.failed', 'service.failed']);
    const data = { code: 'build_failed', detail: 'web: step 2 failed', logTail: ['npm: not found'] };
    expect(harness.eventsOf('build.failed')[0]?.data).toEqual(data);
  });

  it('may be tried again, and success makes it forgotten', async () => {
    const harness = await failing();
    expect(await failOnce(harness)).toBe('instance_exited');
    harness.prober.accept('web');
    harness.runtime.behave('web', { exits: { code: 0, afterMs: 3_600_000 } });
    await harness.fleet.wake('web');
    expect(harness.data.view('web')).toMatchObject({ status: 'awake' });
    expect(harness.data.view('web').failure).toBeUndefined();
  });

  it('of an unexpected kind is a failure of its own, not a crash', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.behave('web', { createFails: new TypeError('x is not a function') });
    expect(await failOnce(harness)).toBe('internal');
  });
});

describe('a service that fails again and again', () => {
  async function crashLooping(): Promise<FleetHarness> {
    const harness = await failing();
    for (let tries = 0; tries < 3; tries += 1) expect(await failOnce(harness)).toBe('instance_exited');
    return harness;
  }

  it('is no longer started with every request, and says when to come back', async () => {
    const harness = await crashLooping();
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass();
    const { failure } = wake.error as WakeFailed;
    expect(failure).toMatchObject({ code: 'crash_loop' });
    expect(failure.logTail.at(-1)).toBe('no such file');
    expect(failure.detail).toContain('web failed 3 times in a row');
    const pauseMs = (failure.retryAtEpochMs ?? 0) - harness.clock.epochMs();
    expect(pauseMs).toBeGreaterThan(2_000);
    expect(pauseMs).toBeLessThanOrEqual(5_000);
    expect(harness.runtime.starts('web')).toBe(3);
    await harness.pass(pauseMs);
    expect(await failOnce(harness)).toBe('instance_exited');
    expect(harness.runtime.starts('web')).toBe(4);
    expect(await failOnce(harness)).toBe('crash_loop');
  });

  it('is started at once when the operator asks', async () => {
    const harness = await crashLooping();
    harness.prober.accept('web');
    await expect(harness.service('web').wake('operator')).resolves.toBeDefined();
    expect(harness.service('web').status).toBe('awake');
  });

  it('starts with a clean record after an edit', async () => {
    const harness = await crashLooping();
    expect(await failOnce(harness)).toBe('crash_loop');
    const { spec } = harness.service('web');
    await harness.fleet.apply(new Map([['web', { ...spec, env: { FIXED: 'yes' } }]]));
    expect(await failOnce(harness)).toBe('instance_exited');
  });

  it('starts with a clean record once it has served for ten seconds', async () => {
    const harness = await crashLooping();
    harness.prober.accept('web');
    harness.runtime.behave('web', { exits: { code: 1, afterMs: 10_500 } });
    await harness.service('web').wake('operator');
    await harness.pass(11_000);
    expect(harness.service('web').status).toBe('failed');
    harness.prober.refuse('web');
    harness.runtime.behave('web', { exits: { code: 1, afterMs: 5 } });
    for (let tries = 0; tries < 3; tries += 1) expect(await failOnce(harness)).toBe('instance_exited');
    expect(await failOnce(harness)).toBe('crash_loop');
  });

  it('is caught also when it serves for a few seconds each time', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.behave('web', { exits: { code: 1, afterMs: 6_000 } });
    for (let lives = 0; lives < 3; lives += 1) {
      await harness.fleet.wake('web');
      await harness.pass(6_000);
    }
    expect(await failOnce(harness)).toBe('crash_loop');
  });
});

describe('a runtime that is away', () => {
  it('is said at once, and not held against the service', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.setCondition(DOWN);
    for (let tries = 0; tries < 5; tries += 1) expect(await failOnce(harness, 0)).toBe('runtime_unavailable');
    harness.runtime.setCondition({ up: true });
    await expect(harness.fleet.wake('web')).resolves.toBeDefined();
    expect(harness.data.view('web').failure).toBeUndefined();
  });

  it('is not asked ever again in every moment for what should always run', async () => {
    const harness = new FleetHarness();
    harness.runtime.setCondition(DOWN);
    await harness.start(fleetSpec('web', { scale: { min: 1, max: 1, cooldownMs: 60_000 } }));
    await harness.pass(300_000);
    const told = harness.eventsOf('service.failed').length;
    expect(told).toBeGreaterThan(8);
    expect(told).toBeLessThan(25);
    harness.runtime.setCondition({ up: true });
    await harness.pass();
    expect(harness.service('web').status).toBe('awake');
  });
});

describe('a wake that the operator calls off', () => {
  it('ends at once, and the service is asleep, not failed', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.prober.refuse('web');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(100);
    await harness.service('web').sleep('operator', 'stop');
    expect(failureCode(wake)).toBe('start_cancelled');
    expect(harness.data.view('web')).toMatchObject({ status: 'asleep', upstreams: [] });
    expect(harness.data.view('web').failure).toBeUndefined();
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.eventTypes('web')).toEqual(['wake.requested', 'instance.starting', 'service.asleep']);
  });

  it('in the middle of a build ends the build', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.behave('web', { prepareMs: 300_000 });
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(100);
    await harness.service('web').sleep('operator', 'stop');
    expect(failureCode(wake)).toBe('start_cancelled');
    expect(harness.runtime.count('create')).toBe(0);
  });

  it('does not start what was waiting for the end of a stop', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    harness.runtime.behave('web', { stopMs: 3_000 });
    const first = watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass();
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(1_000);
    const second = watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass(2_000);
    expect([first.value, second.value]).toEqual([true, true]);
    expect(failureCode(wake)).toBe('start_cancelled');
    expect(harness.runtime.starts('web')).toBe(1);
    expect(harness.service('web').status).toBe('asleep');
  });

  it('stays called off where something should always run', async () => {
    const harness = await startFleet(fleetSpec('web', { scale: { min: 1, max: 1, cooldownMs: 60_000 } }));
    await harness.service('web').sleep('operator', 'stop');
    harness.prober.refuse('web');
    watch(harness.service('web').wake('operator'));
    await harness.pass(100);
    await harness.service('web').sleep('operator', 'stop');
    await harness.pass(300_000);
    expect(harness.service('web').status).toBe('asleep');
    expect(harness.runtime.starts('web')).toBe(2);
  });

  it('clears what failed before, and everybody is told', async () => {
    const harness = await failing();
    await failOnce(harness);
    expect(harness.data.view('web').status).toBe('failed');
    await harness.service('web').sleep('operator', 'stop');
    expect(harness.data.view('web').status).toBe('asleep');
  });
});
