import { describe, expect, it } from 'vitest';
import { fleetSpec, startFleet, watch, failureCode } from '../../../support/set-ups/fleet.ts';

describe('a wake', () => {
  it('is shared by all who ask while it lasts', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.behave('web', { prepareMs: 50, startMs: 50 });
    const waits = Array.from({ length: 100 }, () => watch(harness.fleet.wake('web')));
    await harness.pass(200);
    expect(waits.every(({ value }) => value !== undefined)).toBe(true);
    expect(harness.runtime.starts('web')).toBe(1);
    expect(harness.runtime.count('prepare')).toBe(1);
    expect(harness.eventTypes('web')).toEqual([
      'wake.requested',
      'instance.starting',
      'instance.ready',
      'service.awake',
    ]);
  });

  it('resolves when the data half has been offered the instance, and tells how long its parts took', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.runtime.behave('web', { prepareMs: 300, startMs: 200, fresh: true });
    harness.prober.refuse('web');
    const offered = harness.fleet.wake('web').then((timings) => ({ timings, ids: harness.data.offered('web') }));
    const wake = watch(offered);
    await harness.pass(600);
    expect(wake.settled).toBe(false);
    expect(harness.data.view('web')).toMatchObject({ status: 'waking', upstreams: [], progress: { phase: 'start' } });
    harness.prober.accept('web');
    await harness.pass(10);
    expect(wake.value?.ids).toEqual(['web-1']);
    expect(wake.value?.timings).toMatchObject({ buildMs: 300, startMs: 200, readyMs: 110, totalMs: 610 });
    expect(harness.data.view('web').progress).toBeUndefined();
  });

  it('of a service that serves costs nothing', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    await expect(harness.fleet.wake('web')).resolves.toEqual({ totalMs: 0 });
    expect(harness.runtime.count('prepare')).toBe(1);
  });

  it('of a service that nobody knows is refused', async () => {
    const harness = await startFleet();
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass();
    expect(failureCode(wake)).toBe('unknown_service');
  });

  it('continues a paused instance without a new start', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    await harness.service('web').sleep('operator', 'pause');
    expect(harness.states('web')).toEqual(['paused']);
    await harness.fleet.wake('web');
    expect(harness.states('web')).toEqual(['ready']);
    expect(harness.runtime.starts('web')).toBe(1);
  });

  it('of a paused instance asks for the image and nothing else, and makes another one when that is another', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    await harness.service('web').sleep('operator', 'pause');
    const release = harness.runtime.hold('start');
    await harness.fleet.wake('web');
    release();
    await harness.pass();
    const asked = (['prepare', 'create', 'inspect'] as const).map((method) => harness.runtime.count(method));
    expect(asked).toEqual([2, 1, 1]);
    await harness.service('web').sleep('operator', 'pause');
    harness.runtime.behave('web', { imageId: 'built anew' });
    await harness.fleet.wake('web');
    expect([harness.runtime.count('create'), harness.runtime.starts('web')]).toEqual([2, 2]);
  });

  it('of a paused instance that somebody removed makes it anew', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    await harness.service('web').sleep('operator', 'pause');
    const { runtimeId } = harness.service('web').instance(1);
    const heard = harness.runtime.hold('inspect');
    await harness.runtime.removeInstance(runtimeId!);
    harness.prober.script = ({ endpoint }) =>
      endpoint.port > 20_001 ? undefined : { ok: false, reason: 'nobody listens' };
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass();
    heard();
    await harness.pass(1_000);
    expect(wake.value).toBeDefined();
    expect(harness.runtime.starts('web')).toBe(2);
  });

  it('during a stop waits for its end and starts anew', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    harness.runtime.behave('web', { stopMs: 3_000 });
    const sleep = watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass();
    expect(harness.states('web')).toEqual(['stopping']);
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(2_999);
    expect(wake.settled).toBe(false);
    await harness.pass(1);
    expect(sleep.value).toBe(true);
    expect(wake.value).toBeDefined();
    expect(harness.runtime.starts('web')).toBe(2);
    expect(harness.data.view('web')).toMatchObject({ status: 'awake', upstreams: [{ id: 'web-1' }] });
  });

  it('while an idle instance drains keeps it', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    harness.data.reports = false;
    await harness.pass(15 * 60_000);
    expect(harness.states('web')).toEqual(['draining']);
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass();
    expect(wake.value).toBeDefined();
    expect(harness.states('web')).toEqual(['ready']);
    expect(harness.runtime.count('stop')).toBe(0);
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });
});

describe('dependencies', () => {
  it('wake first, in order, those that need nothing of each other at the same time', async () => {
    const harness = await startFleet(
      fleetSpec('web', { dependsOn: { api: 'ready', cache: 'ready' } }),
      fleetSpec('api', { dependsOn: { db: 'ready' } }),
      fleetSpec('cache', { dependsOn: { db: 'ready' } }),
      fleetSpec('db'),
    );
    for (const name of ['db', 'api', 'cache', 'web']) harness.runtime.behave(name, { startMs: 100 });
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(300);
    expect(wake.value).toMatchObject({ totalMs: 300, dependenciesMs: 200, startMs: 100 });
    const ready = harness.eventsOf('instance.ready').map(({ service }) => service);
    expect([ready[0], ready[3]]).toEqual(['db', 'web']);
    expect(ready.slice(1, 3).sort()).toEqual(['api', 'cache']);
    expect(harness.runtime.starts('db')).toBe(1);
  });

  it('that must only be started are not waited for until they are ready', async () => {
    const harness = await startFleet(fleetSpec('web', { dependsOn: { db: 'started' } }), fleetSpec('db'));
    harness.prober.refuse('db');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(100);
    expect(wake.value).toBeDefined();
    expect(harness.states('db')).toEqual(['probing']);
  });

  it('that must only be started and have been, by somebody else, are not waited for either', async () => {
    const harness = await startFleet(fleetSpec('web', { dependsOn: { db: 'started' } }), fleetSpec('db'));
    harness.prober.refuse('db');
    watch(harness.fleet.wake('db'));
    await harness.pass(100);
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(100);
    expect(wake.value).toBeDefined();
  });

  it('that are jobs run to their end, once', async () => {
    const job = fleetSpec('migrate', { job: true });
    const harness = await startFleet(fleetSpec('web', { dependsOn: { migrate: 'completed' } }), job);
    harness.runtime.behave('migrate', { exits: { code: 0, afterMs: 2_500 } });
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(2_400);
    expect(wake.settled).toBe(false);
    await harness.pass(100);
    expect(wake.value).toBeDefined();
    expect(harness.service('migrate').status).toBe('completed');
    await harness.service('web').sleep('operator', 'stop');
    await harness.fleet.wake('web');
    expect(harness.runtime.starts('migrate')).toBe(1);
  });

  it('that fail take the service down with their reason and their last lines', async () => {
    const job = fleetSpec('migrate', { job: true });
    const harness = await startFleet(fleetSpec('web', { dependsOn: { migrate: 'completed' } }), job);
    harness.runtime.behave('migrate', { exits: { code: 3, afterMs: 10, says: 'no such table' } });
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(20);
    expect(failureCode(wake)).toBe('dependency_failed');
    expect(harness.service('web').failure?.detail).toContain('exit code 3');
    expect(harness.service('web').failure?.logTail).toEqual(['no such table']);
    expect(harness.service('migrate').failure).toMatchObject({ code: 'job_failed', logTail: ['no such table'] });
    expect(harness.runtime.count('prepare', 'web')).toBe(0);
  });

  it('of a service that is put to sleep meanwhile hold nobody up', async () => {
    const harness = await startFleet(fleetSpec('web', { dependsOn: { db: 'ready' } }), fleetSpec('db'));
    harness.runtime.behave('db', { prepareMs: 60_000 });
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(1_000);
    await harness.service('web').sleep('operator', 'stop');
    await harness.pass();
    expect(failureCode(wake)).toBe('start_cancelled');
    expect(harness.data.view('web').status).toBe('asleep');
  });
});

describe('a build', () => {
  it('is told from its first step to its end', async () => {
    const harness = await startFleet(fleetSpec('web'));
    const progress = [1, 2].map((step) => ({ phase: 'build' as const, detail: `Step ${step}/2`, ratio: step / 2 }));
    harness.runtime.behave('web', { prepareMs: 400, progress, fresh: true });
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(200);
    expect(harness.data.view('web').progress).toMatchObject({
      phase: 'build',
      detail: 'Step 2/2',
      lines: ['Step 1/2', 'Step 2/2'],
    });
    await harness.pass(200);
    expect(wake.settled).toBe(true);
    expect(harness.eventTypes('web').slice(0, 3)).toEqual(['wake.requested', 'build.started', 'build.finished']);
    expect(harness.eventsOf('build.finished')[0]?.data).toEqual({ durationMs: 400 });
  });
});

describe('a wake of several instances', () => {
  const three = fleetSpec('web', { scale: { min: 0, max: 3, cooldownMs: 60_000 } });

  it('resolves with the first that is ready, and the others follow', async () => {
    const harness = await startFleet(three);
    harness.service('web').follow(3, true);
    const release = harness.runtime.hold('start', 'web-2');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass();
    expect(wake.value).toBeDefined();
    expect(harness.states('web')).toEqual(['ready', 'starting', 'ready']);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-3']);
    expect(harness.data.view('web').status).toBe('awake');
    release();
    await harness.pass();
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2', 'web-3']);
  });

  it('brings back later those that could not be started, ever more slowly', async () => {
    const harness = await startFleet(three);
    harness.service('web').follow(2, true);
    harness.prober.script = ({ endpoint }) => {
      const isFirst = endpoint.port === harness.prober.calls[0]?.endpoint.port;
      return isFirst ? undefined : { ok: false, reason: 'it only says 500' };
    };
    watch(harness.fleet.wake('web'));
    await harness.pass(59_000);
    expect(harness.states('web')).toEqual(['ready', 'probing']);
    await harness.pass(1_000);
    expect(harness.states('web')).toEqual(['ready', 'failed']);
    expect(harness.data.view('web').status).toBe('degraded');
    harness.prober.script = () => undefined;
    await harness.pass(1_000);
    expect(harness.states('web')).toEqual(['ready', 'ready']);
    expect(harness.data.view('web').status).toBe('awake');
  });

  it('starts as many as are wanted when the number grows meanwhile', async () => {
    const harness = await startFleet(three);
    harness.prober.refuse('web');
    watch(harness.fleet.wake('web'));
    await harness.pass(100);
    watch(harness.service('web').scale(3));
    harness.prober.accept('web');
    await harness.pass(1_000);
    expect(harness.states('web')).toEqual(['ready', 'ready', 'ready']);
  });
});
