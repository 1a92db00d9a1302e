import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../../src/config/service-spec.ts';
import { fleetSpec, startFleet, watch, type FleetHarness } from '../../../support/set-ups/fleet.ts';

const ALWAYS_ONE = { scale: { min: 1, max: 1, cooldownMs: 60_000 } };

async function awake(changes: Partial<ServiceSpec> = {}): Promise<FleetHarness> {
  const harness = await startFleet(fleetSpec('web', changes));
  await harness.fleet.wake('web');
  harness.events.length = 0;
  return harness;
}

describe('an instance that loses its address', () => {
  it('is no longer offered, and is started again by the next request', async () => {
    const harness = await awake();
    harness.runtime.unplug('web-1');
    await harness.pass();
    expect(harness.data.view('web')).toMatchObject({ status: 'failed', failure: { code: 'start_failed' } });
    await harness.fleet.wake('web');
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.runtime.starts('web')).toBe(2);
  });

  it('is brought back where something must always run', async () => {
    const harness = await awake(ALWAYS_ONE);
    harness.runtime.unplug('web-1');
    await harness.pass(60_000);
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('while it is paused is made anew by the next request, not continued', async () => {
    const harness = await awake();
    const { runtimeId } = harness.service('web').instance(1);
    await harness.service('web').sleep('operator', 'pause');
    harness.runtime.unplug('web-1');
    await harness.pass();
    expect(harness.states('web')).toEqual(['paused']);
    await harness.fleet.wake('web');
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.service('web').instance(1).runtimeId).not.toBe(runtimeId);
  });

  it('while it is paused, which nobody has told yet, is started anew by the wake that finds it out', async () => {
    const harness = await awake();
    await harness.service('web').sleep('operator', 'pause');
    harness.prober.refuse('web');
    harness.runtime.deaf(() => harness.runtime.unplug('web-1'));
    const woken = harness.fleet.wake('web');
    await harness.pass(20);
    harness.prober.accept('web');
    await harness.pass(20);
    await woken;
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.runtime.starts('web')).toBe(2);
    expect(harness.eventsOf('instance.starting')).toHaveLength(1);
  });

  it('while it is paused, and is stopped for that by another daemon which wakes it as well, is started anew', async () => {
    const harness = await awake();
    await harness.service('web').sleep('operator', 'pause');
    harness.prober.refuse('web');
    const woken = harness.fleet.wake('web');
    await harness.pass(20);
    harness.runtime.exit('web-1', 0);
    harness.prober.accept('web');
    await harness.pass(20);
    await woken;
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.eventTypes('web')).not.toContain('service.failed');
  });

  it('while it is paused tells why it ended when the new start ends as well', async () => {
    const harness = await awake();
    await harness.service('web').sleep('operator', 'pause');
    harness.prober.refuse('web');
    const woken = watch(harness.fleet.wake('web'));
    for (const code of [0, 7]) {
      await harness.pass(20);
      harness.runtime.exit('web-1', code);
    }
    await harness.pass(20);
    expect(woken.error).toMatchObject({ failure: { code: 'instance_exited' } });
    expect(String(woken.error)).toContain('exit code 7');
  });

  it('while it starts is not waited for until wake.timeout', async () => {
    const harness = await startFleet(fleetSpec('web'));
    harness.prober.refuse('web');
    const woken = watch(harness.fleet.wake('web'));
    await harness.pass(20);
    harness.runtime.unplug('web-1');
    await harness.pass();
    expect(woken.error).toMatchObject({ failure: { code: 'start_failed' } });
  });

  it('and was not told of is found when it cannot be reached', async () => {
    const harness = await awake();
    harness.runtime.deaf(() => harness.runtime.unplug('web-1'));
    await harness.fleet.suspect('web', 'web-1');
    expect(harness.data.offered('web')).toEqual([]);
  });

  it('does not serve however well its command says it is', async () => {
    const readiness = { strategy: { kind: 'exec', command: ['true'] } } as const;
    const harness = await awake({ readiness });
    harness.runtime.unplug('web-1');
    await harness.pass();
    expect(harness.data.offered('web')).toEqual([]);
  });
});

describe('an instance that could not be reached', () => {
  it('and never answers again is made anew in the end where something must always run', async () => {
    const harness = await awake(ALWAYS_ONE);
    harness.prober.refuse('web');
    await harness.fleet.suspect('web', 'web-1');
    await harness.pass(60_000);
    harness.prober.accept('web');
    await harness.pass(60_000);
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('and answers a probe stays', async () => {
    const harness = await awake();
    await harness.fleet.suspect('web', 'web-1');
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.eventTypes('web')).toEqual([]);
  });

  it('and is dead is taken out before the answer', async () => {
    const harness = await awake();
    harness.runtime.deaf(() => harness.runtime.exit('web-1', 1));
    await harness.fleet.suspect('web', 'web-1');
    expect(harness.data.offered('web')).toEqual([]);
  });

  it('and runs but does not answer is taken out until it does', async () => {
    const harness = await awake();
    harness.prober.refuse('web');
    await harness.fleet.suspect('web', 'web-1');
    expect(harness.data.view('web')).toMatchObject({ status: 'waking', upstreams: [] });
    harness.prober.accept('web');
    await harness.pass(20);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.runtime.starts('web')).toBe(1);
  });

  it('and never answers again is stopped in the end', async () => {
    const harness = await awake();
    harness.prober.refuse('web');
    await harness.fleet.suspect('web', 'web-1');
    await harness.pass(60_000);
    expect(harness.data.view('web')).toMatchObject({ status: 'failed', failure: { code: 'not_ready_in_time' } });
    expect(harness.runtime.count('stop', 'web-1')).toBe(1);
  });

  it('and has another address now is offered under that', async () => {
    const harness = await awake();
    const [before] = harness.data.upstreams('web');
    const { runtimeId } = harness.service('web').instance(1);
    const hand = [harness.runtime.stopInstance(runtimeId!, 0), harness.runtime.startInstance(runtimeId!)];
    harness.runtime.deaf(() => void Promise.all(hand));
    await Promise.all(hand);
    await harness.fleet.suspect('web', 'web-1');
    await harness.pass();
    expect(harness.data.upstreams('web')[0]?.endpoints).not.toEqual(before?.endpoints);
  });

  it('is not asked by many at once more than it must be, and unknown ones are no matter', async () => {
    const harness = await awake();
    await harness.fleet.suspect('web', 'web-9');
    await harness.fleet.suspect('nothing', 'nothing-1');
    expect(harness.eventTypes('web')).toEqual([]);
  });

  it('while the runtime is away stays as it is', async () => {
    const harness = await awake();
    harness.runtime.setCondition({ up: false, code: 'unreachable', reason: 'no socket' });
    await harness.fleet.suspect('web', 'web-1');
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });
});
