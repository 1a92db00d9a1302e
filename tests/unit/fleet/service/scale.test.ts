import { beforeEach, describe, expect, it } from 'vitest';
import { fleetSpec, startFleet, watch, type FleetHarness } from '../../../support/set-ups/fleet.ts';

describe('scale', () => {
  const web = fleetSpec('web', { scale: { min: 0, max: 4, cooldownMs: 60_000 } });
  let harness: FleetHarness;
  beforeEach(async () => {
    harness = await startFleet(web);
  });

  async function scale(replicas: number): Promise<void> {
    const scaled = watch(harness.service('web').scale(replicas));
    await harness.pass();
    if (scaled.error) throw scaled.error as Error;
    expect(scaled.settled).toBe(true);
  }

  it.each([5, -1, 1.5, Number.NaN])('refuses %d, says what is possible and changes nothing', async (replicas) => {
    const refused = harness.service('web').scale(replicas);
    await expect(refused).rejects.toMatchObject({ code: 'scale_out_of_range' });
    await expect(refused).rejects.toThrow('web can have 0 to 4 instances');
    expect(harness.service('web').desired).toBe(1);
    expect(harness.eventTypes('web')).toEqual([]);
  });

  it('refuses to go below what must always run', async () => {
    harness = await startFleet(fleetSpec('web', { scale: { min: 2, max: 4, cooldownMs: 0 } }));
    await expect(harness.service('web').scale(1)).rejects.toMatchObject({ code: 'scale_out_of_range' });
    await expect(harness.service('web').scale(0)).rejects.toMatchObject({ code: 'scale_out_of_range' });
  });

  it('adds instances beside those that serve, which are not touched', async () => {
    await scale(1);
    await scale(3);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2', 'web-3']);
    expect(harness.runtime.starts('web')).toBe(3);
    expect(harness.runtime.count('stop')).toBe(0);
  });

  it('is not told as if something were missing, neither on the way up nor on the way down', async () => {
    await scale(1);
    harness.data.updates.length = 0;
    await scale(3);
    await scale(1);
    await scale(2);
    await scale(0);
    const told = harness.data.updates.flatMap(({ services }) => services.map(({ status }) => status));
    expect([...new Set(told)].sort()).toEqual(['asleep', 'awake', 'draining']);
  });

  it('wakes a service that sleeps, with as many', async () => {
    await scale(2);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2']);
    expect(harness.data.view('web').status).toBe('awake');
  });

  it('takes away those with the highest numbers, after their last request', async () => {
    await scale(3);
    const end = harness.data.request('web', 'web-3');
    const scaled = watch(harness.service('web').scale(1));
    await harness.pass(1_000);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.states('web')).toEqual(['ready', 'stopped', 'draining']);
    expect(scaled.settled).toBe(false);
    end();
    await harness.pass();
    expect(harness.states('web')).toEqual(['ready', 'stopped', 'stopped']);
    expect(scaled.settled).toBe(true);
  });

  it('does not wait for requests beyond the time for draining', async () => {
    await scale(2);
    harness.data.request('web', 'web-2');
    watch(harness.service('web').scale(1));
    await harness.pass(30_000);
    expect(harness.states('web')).toEqual(['ready', 'stopped']);
  });

  it('puts the service to sleep at 0, and keeps in mind how many there were', async () => {
    await scale(2);
    await scale(0);
    expect(harness.service('web').status).toBe('asleep');
    await harness.fleet.wake('web');
    await harness.pass();
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2']);
  });

  it('says from how many to how many, and nothing when that is the same', async () => {
    await scale(3);
    await scale(3);
    await scale(2);
    const told = harness.events.filter(({ type }) => type.startsWith('scale.'));
    expect(told.map(({ type, data }) => [type, data])).toEqual([
      ['scale.up', { from: 1, to: 3, reason: 'operator' }],
      ['scale.down', { from: 3, to: 2, reason: 'operator' }],
    ]);
  });

  it('brings as many as were asked for last, also while the first still starts', async () => {
    harness.prober.refuse('web');
    const wake = watch(harness.fleet.wake('web'));
    await harness.pass(100);
    const scaled = watch(harness.service('web').scale(3));
    await harness.pass(100);
    harness.prober.accept('web');
    await harness.pass(1_000);
    expect([wake.settled, scaled.settled]).toEqual([true, true]);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2', 'web-3']);
  });

  it('replaces all, also those that became ready only after the first, when an edit came while they started', async () => {
    const edited = { ...web, env: { COLOUR: 'blue' } };
    await scale(2);
    await scale(0);
    const release = harness.runtime.hold('start', 'web-2');
    watch(harness.fleet.wake('web'));
    await harness.pass();
    watch(harness.fleet.apply(new Map([['web', edited]])));
    await harness.pass(100);
    release();
    await harness.pass(5_000);
    const hash = harness.runtime.configHash(edited);
    expect(harness.service('web').instances.map(({ configHash }) => configHash)).toEqual([hash, hash]);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2']);
  });
});
