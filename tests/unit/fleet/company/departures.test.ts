import { beforeEach, describe, expect, it } from 'vitest';
import { AFTER_MS, FakeCompany } from '../../../support/set-ups/company.ts';
import type { FakeClock } from '../../../support/fakes/fake-clock.ts';
import type { FakeRuntime } from '../../../support/fakes/fake-runtime.ts';
import { watch, type FleetHarness } from '../../../support/set-ups/fleet.ts';

describe('an instance that one of several processes puts to sleep', () => {
  let company: FakeCompany;
  let clock: FakeClock;
  let runtime: FakeRuntime;
  let one: FleetHarness;
  let two: FleetHarness;
  beforeEach(async () => {
    company = new FakeCompany();
    ({ clock, runtime } = company);
    one = await company.start('one');
    two = await company.start('two');
    await two.fleet.wake('web');
    await clock.advanceAsync(1_000);
  });

  it('stops nothing before all have let go of it, and keeps what turns out to be in use', async () => {
    two.data.reports = false;
    await clock.advanceAsync(AFTER_MS);
    expect(one.states('web')).toEqual(['draining']);
    expect(two.states('web')).toEqual(['draining']);
    // It was sent before the word of the other arrived.
    const end = two.data.request('web', 'web-1');
    await clock.advanceAsync(3_000);
    two.data.reports = true;
    two.data.report('web', 'web-1');
    await clock.advanceAsync(2_000);
    expect(runtime.count('stop')).toBe(0);
    expect([...one.states('web'), ...two.states('web')]).toEqual(['ready', 'ready']);
    expect(two.data.offered('web')).toEqual(['web-1']);
    end();
    await clock.advanceAsync(AFTER_MS + 5_000);
    expect(two.states('web')).toEqual(['stopped']);
    expect(runtime.count('stop')).toBe(1);
  });

  it('stays when requests wait for it elsewhere', async () => {
    const three = await company.start('three');
    three.data.reports = false;
    await clock.advanceAsync(AFTER_MS);
    expect(two.states('web')).toEqual(['draining']);
    await two.fleet.wake('web');
    await clock.advanceAsync(0);
    expect([...one.states('web'), ...two.states('web'), ...three.states('web')]).toEqual(['ready', 'ready', 'ready']);
    expect(runtime.count('stop')).toBe(0);
    expect(runtime.starts('web')).toBe(1);
  });

  it('is waited for by requests that come while it is being stopped, and started anew for them', async () => {
    const release = runtime.hold('stop');
    await clock.advanceAsync(AFTER_MS);
    expect(one.states('web')).toEqual(['stopping']);
    const woken = watch(two.fleet.wake('web'));
    await clock.advanceAsync(5_000);
    expect(woken.settled).toBe(false);
    release();
    await clock.advanceAsync(1_000);
    expect(woken.error).toBeUndefined();
    expect([...one.states('web'), ...two.states('web')]).toEqual(['ready', 'ready']);
    expect(runtime.starts('web')).toBe(2);
  });

  it('does not wait for one that has ended', async () => {
    two.data.reports = false;
    await clock.advanceAsync(AFTER_MS);
    expect(one.states('web')).toEqual(['draining']);
    await company.kill(two);
    await clock.advanceAsync(12_000);
    expect(one.states('web')).toEqual(['stopped']);
  });

  it('is offered again by the others when the one that wanted to stop it has ended', async () => {
    two.data.reports = false;
    await clock.advanceAsync(AFTER_MS);
    expect(two.states('web')).toEqual(['draining']);
    await company.kill(one);
    await clock.advanceAsync(12_000);
    expect(two.states('web')).toEqual(['ready']);
    expect(runtime.count('stop')).toBe(0);
  });

  it('waits for what any of them has in flight when an operator asks, whomever he asks', async () => {
    const end = one.data.request('web');
    const asleep = watch(two.fleet.managed('web').sleep('operator', 'stop'));
    await clock.advanceAsync(10_000);
    expect(asleep.settled).toBe(false);
    expect(runtime.count('stop')).toBe(0);
    end();
    await clock.advanceAsync(1_000);
    expect(asleep.value).toBe(true);
    expect(one.eventTypes('web')).not.toContain('instance.died');
    expect(runtime.starts('web')).toBe(1);
  });

  it('takes away what an operator no longer wants, whomever he asks, and does not bring it back', async () => {
    await two.fleet.managed('web').scale(3);
    await clock.advanceAsync(1_000);
    await two.fleet.managed('web').scale(1);
    await clock.advanceAsync(20_000);
    expect(one.states('web')).toEqual(['ready', 'stopped', 'stopped']);
    expect(one.eventTypes('web')).not.toContain('instance.died');
    expect(runtime.starts('web')).toBe(3);
  });

  it('does not act any more when another leads since it began', async () => {
    two.data.reports = false;
    await clock.advanceAsync(AFTER_MS);
    expect(one.states('web')).toEqual(['draining']);
    one.store.failure = new Error('frozen');
    await clock.advanceAsync(8_000);
    expect(two.company?.inCharge(false)).toBe(true);
    one.store.failure = undefined;
    two.data.reports = true;
    two.data.report('web', 'web-1');
    await clock.advanceAsync(5_000);
    expect(two.eventTypes('web')).toContain('service.asleep');
    expect(one.eventTypes('web')).toEqual([]);
    expect(runtime.count('stop')).toBe(1);
  });

  it('stays awake for requests that are over before anybody is told', async () => {
    for (let second = 0; second < 180; second += 1) {
      two.data.request('web')();
      await clock.advanceAsync(1_000);
    }
    expect(runtime.count('stop')).toBe(0);
    expect(one.states('web')).toEqual(['ready']);
  });
});
