import { beforeEach, describe, expect, it } from 'vitest';
import { FakeDataHalf } from '../../support/fakes/fake-data-half.ts';
import { fleetSpec, startFleet, watch, type FleetHarness } from '../../support/set-ups/fleet.ts';

const AFTER_MS = 60_000;

describe('a fleet with two data halves', () => {
  const sleep = { tiers: [{ afterMs: AFTER_MS, strategy: 'stop' }], unless: {} } as const;
  let harness: FleetHarness;
  let second: FakeDataHalf;
  beforeEach(async () => {
    harness = await startFleet(fleetSpec('web', { sleep }));
    second = new FakeDataHalf();
    second.join(harness.fleet.connect());
  });

  it('starts one instance although both ask', async () => {
    await Promise.all([harness.fleet.connect().wake('web'), harness.fleet.connect().wake('web')]);
    expect(harness.runtime.count('start', 'web-1')).toBe(1);
    expect(second.offered('web')).toEqual(harness.data.offered('web'));
  });

  it('keeps awake what either of them uses, and tells how much both have in flight', async () => {
    await harness.fleet.wake('web');
    const end = second.request('web');
    const endOther = harness.data.request('web');
    expect(harness.fleet.inFlight('web')).toBe(2);
    endOther();
    await harness.pass(AFTER_MS * 3);
    expect(harness.states('web')).toEqual(['ready']);
    end();
    await harness.pass(AFTER_MS);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('stops nothing before both have let go of it', async () => {
    await harness.fleet.wake('web');
    second.reports = false;
    const asleep = watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass();
    expect(harness.states('web')).toEqual(['draining']);
    second.leave();
    await harness.pass();
    expect(asleep.value).toBe(true);
  });

  it('lets go of what a data half had in flight that was killed', async () => {
    await harness.fleet.wake('web');
    second.request('web');
    await harness.pass(AFTER_MS * 2);
    second.leave();
    expect(harness.fleet.inFlight('web')).toBe(0);
    await harness.pass(AFTER_MS);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('says once that a breaker opened, though both have it open', () => {
    const [one, two] = [harness.fleet.connect(), harness.fleet.connect()];
    for (const link of [one, two]) link.reportBreaker({ service: 'web', instanceId: 'web-1', open: true });
    one.close();
    expect(harness.eventTypes('web')).toEqual(['breaker.opened']);
    two.close();
    expect(harness.eventTypes('web')).toEqual(['breaker.opened', 'breaker.closed']);
  });
});
