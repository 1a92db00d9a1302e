import { beforeEach, describe, expect, it } from 'vitest';
import { AFTER_MS, FakeCompany } from '../../../support/set-ups/company.ts';
import type { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { FakeStore } from '../../../support/fakes/fake-store.ts';
import type { FakeRuntime } from '../../../support/fakes/fake-runtime.ts';
import { fleetSpec, FleetHarness, watch } from '../../../support/set-ups/fleet.ts';

describe('several processes on one store and one runtime', () => {
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
  });

  it('see what any of them has woken, and start it once', async () => {
    await Promise.all([one.fleet.wake('web'), two.fleet.wake('web')]);
    await clock.advanceAsync(1_000);
    expect(one.states('web')).toEqual(['ready']);
    expect(two.states('web')).toEqual(['ready']);
    expect(runtime.starts('web')).toBe(1);
  });

  it('elect one, which puts to sleep what another has started', async () => {
    await two.fleet.wake('web');
    await clock.advanceAsync(AFTER_MS + 5_000);
    expect(one.eventTypes('web')).toContain('service.asleep');
    expect(two.eventTypes('web')).not.toContain('service.asleep');
    expect(two.service('web').status).toBe('asleep');
    expect(runtime.count('stop')).toBe(1);
  });

  it('do not call a stop by the other a death, and do not bring it back', async () => {
    await two.fleet.wake('web');
    await clock.advanceAsync(AFTER_MS * 3);
    expect(two.eventTypes('web')).not.toContain('instance.died');
    expect(runtime.starts('web')).toBe(1);
  });

  it('bring back what died, once', async () => {
    await two.fleet.managed('web').scale(2);
    await clock.advanceAsync(1_000);
    runtime.exit('web-2', 1);
    await clock.advanceAsync(20_000);
    expect(one.eventTypes('web')).toContain('instance.died');
    expect(two.eventTypes('web')).not.toContain('instance.died');
    expect(runtime.starts('web')).toBe(3);
    expect(two.states('web')).toEqual(['ready', 'ready']);
  });

  it('keep awake what any of them uses', async () => {
    await one.fleet.wake('web');
    await clock.advanceAsync(1_000);
    const end = two.data.request('web');
    await clock.advanceAsync(AFTER_MS * 3);
    expect(one.service('web').status).toBe('awake');
    end();
    await clock.advanceAsync(AFTER_MS + 5_000);
    expect(one.service('web').status).toBe('asleep');
  });

  it('follow how many an operator wants, whichever he asks', async () => {
    await two.fleet.managed('web').scale(3);
    await clock.advanceAsync(2_000);
    expect(one.service('web').desired).toBe(3);
    expect(one.states('web')).toEqual(['ready', 'ready', 'ready']);
    await one.fleet.managed('web').scale(2);
    await clock.advanceAsync(2_000);
    expect(two.service('web').desired).toBe(2);
    expect(company.disk.get('web')).toMatchObject({ desired: 2 });
  });

  it('take over within ten seconds when the one that leads is killed', async () => {
    await one.fleet.managed('web').scale(2);
    await clock.advanceAsync(1_000);
    await company.kill(one);
    runtime.exit('web-2', 1);
    await clock.advanceAsync(10_000);
    expect(two.states('web')).toEqual(['ready', 'ready']);
    await clock.advanceAsync(AFTER_MS + 35_000);
    expect(two.eventTypes('web')).toContain('service.asleep');
  });

  it('tell an alarm that began to ring while nobody led, once', async () => {
    const alarms = (): string[] => two.events.filter(({ type }) => type.startsWith('cpu.')).map(({ type }) => type);
    await one.fleet.wake('web');
    await clock.advanceAsync(2_000);
    runtime.behave('web', { usage: { cpuRatio: 0.95, memoryBytes: 10, memoryLimitBytes: 100 } });
    await company.kill(one);
    two.company?.onElected(() => two.fleet.monitor.recall('web', 'web-1', 'cpu', 'calm'));
    await clock.advanceAsync(5_000);
    expect(two.fleet.inCharge(false)).toBe(false);
    expect(alarms()).toEqual([]);
    await clock.advanceAsync(10_000);
    expect(alarms()).toEqual(['cpu.panic']);
    expect(two.eventsOf('cpu.panic')[0]?.data).toMatchObject({ percent: 95, from: 'calm' });
  });

  it('take over at once when the one that leads ends in order', async () => {
    await one.fleet.close();
    await clock.advanceAsync(1_500);
    expect(two.logged.map(({ msg }) => msg)).toContainEqual(expect.stringContaining('this process leads'));
  });

  it('are never led by two at a time', async () => {
    const three = await company.start('three');
    const all = [one, two, three];
    for (let step = 0; step < 120; step += 1) {
      if (step === 30) await company.kill(one);
      if (step === 60) two.store.failure = new Error('cut off');
      if (step === 90) two.store.failure = undefined;
      await clock.advanceAsync(500);
      const leading = all.filter(({ company }) => company?.inCharge(false));
      expect(leading.length).toBeLessThanOrEqual(1);
    }
    expect(all.filter(({ company }) => company?.inCharge(false))).toHaveLength(1);
  });

  describe('tell of everything once', () => {
    function told(): string[] {
      return [...one.eventTypes('web'), ...two.eventTypes('web')].filter((type) => type !== 'wake.requested').sort();
    }

    it('when both wake it', async () => {
      await Promise.all([one.fleet.wake('web'), two.fleet.wake('web')]);
      await clock.advanceAsync(2_000);
      expect(told()).toEqual(['instance.ready', 'instance.starting', 'service.awake']);
    });

    it('when one wakes it and the other finds it running', async () => {
      await two.fleet.wake('web');
      await clock.advanceAsync(2_000);
      expect(two.eventTypes('web')).toEqual(['wake.requested', 'instance.starting', 'instance.ready', 'service.awake']);
      expect(one.eventTypes('web')).toEqual([]);
    });

    it('when it cannot be started', async () => {
      one.prober.refuse('web');
      two.prober.refuse('web');
      const woken = watch(two.fleet.wake('web'));
      await clock.advanceAsync(1_000);
      runtime.exit('web-1', 1);
      await clock.advanceAsync(2_000);
      expect(woken.error).toBeDefined();
      expect(told()).toEqual(['instance.starting', 'service.failed']);
    });

    it('when the one that has started it is killed later', async () => {
      await two.fleet.wake('web');
      await clock.advanceAsync(5_000);
      await company.kill(two);
      await clock.advanceAsync(20_000);
      expect(told()).toEqual(['instance.ready', 'instance.starting', 'service.awake']);
    });

    it('when it becomes unhealthy, dies and sleeps', async () => {
      await two.fleet.managed('web').scale(2);
      await clock.advanceAsync(2_000);
      runtime.health('web-2', false);
      runtime.health('web-2', true);
      runtime.oom('web-2');
      await clock.advanceAsync(20_000);
      await clock.advanceAsync(AFTER_MS * 2);
      const counts = Object.fromEntries(told().map((type) => [type, told().filter((each) => each === type).length]));
      expect(counts).toEqual({
        ...{ 'instance.starting': 3, 'instance.ready': 4, 'instance.unhealthy': 1, 'instance.died': 1 },
        ...{ 'instance.oom': 1, 'instance.stopped': 2, 'scale.up': 1, 'service.awake': 1, 'service.asleep': 1 },
      });
    });

    it('when it uses too much, and keep one line of samples', async () => {
      const kept: string[] = [];
      for (const { fleet } of [one, two]) fleet.monitor.onSample(({ instanceId }) => kept.push(instanceId));
      runtime.behave('web', { usage: { cpuRatio: 0.95, memoryBytes: 1, memoryLimitBytes: 2 } });
      await two.fleet.wake('web');
      await clock.advanceAsync(10_000);
      expect(told()).toContain('cpu.panic');
      expect(told().filter((type) => type.startsWith('cpu.'))).toEqual(
        [...new Set(told())].filter((t) => t.startsWith('cpu.')),
      );
      expect(one.fleet.monitor.samples('web').length).toBe(kept.length);
      expect(two.fleet.monitor.samples('web').length).toBe(kept.length);
    });
  });

  describe('while the store is away', () => {
    beforeEach(async () => {
      await one.fleet.wake('web');
      await clock.advanceAsync(1_000);
      one.store.failure = new Error('away');
      two.store.failure = new Error('away');
    });

    it('put nothing to sleep, for the others cannot be asked whether they use it', async () => {
      const end = two.data.request('web');
      await clock.advanceAsync(AFTER_MS * 3 + 35_000);
      expect(runtime.count('stop')).toBe(0);
      end();
      await clock.advanceAsync(AFTER_MS * 3 + 35_000);
      expect(runtime.count('stop')).toBe(0);
    });

    it('put it to sleep when the store is back, once', async () => {
      await clock.advanceAsync(AFTER_MS * 3);
      one.store.failure = undefined;
      two.store.failure = undefined;
      await clock.advanceAsync(AFTER_MS + 35_000);
      expect(runtime.count('stop')).toBe(1);
      expect(two.service('web').status).toBe('asleep');
    });

    it('serve, and wake, and bring back what died of what they have started', async () => {
      runtime.exit('web-1', 1);
      await clock.advanceAsync(20_000);
      expect(one.eventTypes('web')).toContain('instance.died');
      expect(two.eventTypes('web')).not.toContain('instance.died');
      await two.fleet.wake('web');
      expect(two.states('web')).toEqual(['ready']);
    });
  });

  describe('of which one is killed in the middle of a start', () => {
    beforeEach(async () => {
      one.prober.refuse('web');
      two.prober.refuse('web');
      watch(one.fleet.wake('web'));
      await clock.advanceAsync(1_000);
      await company.kill(one);
    });

    const told = (): string[] => two.eventTypes('web').filter((type) => type !== 'wake.requested');

    it('tell that it failed, when it ends before it is ready', async () => {
      runtime.exit('web-1', 1);
      await clock.advanceAsync(20_000);
      expect(told()).toEqual(['service.failed']);
      expect(two.service('web').status).toBe('failed');
    });

    it('tell that it failed, when that is only seen later', async () => {
      await clock.advanceAsync(20_000);
      runtime.exit('web-1', 1);
      await clock.advanceAsync(5_000);
      expect(told()).toEqual(['service.failed']);
    });

    it('tell that it is ready, once', async () => {
      two.prober.accept('web');
      await clock.advanceAsync(30_000);
      expect(told()).toEqual(['instance.ready']);
      expect(two.service('web').status).toBe('awake');
    });
  });
});

describe('one process alone on a store that it may share', () => {
  it('puts to sleep what it has started, also while the store is away, but not as soon as that went', async () => {
    const company = new FakeCompany();
    const { clock, runtime } = company;
    const one = await company.start('one');
    await one.fleet.wake('web');
    await clock.advanceAsync(AFTER_MS - 7_000);
    one.store.failure = new Error('away');
    await clock.advanceAsync(9_000);
    expect(runtime.count('stop')).toBe(0);
    await clock.advanceAsync(AFTER_MS + 35_000);
    expect(runtime.count('stop')).toBe(1);
    expect(one.eventTypes('web')).toContain('service.asleep');
  });

  it('puts nothing to sleep that another had started before', async () => {
    const company = new FakeCompany();
    const { clock, runtime } = company;
    const one = await company.start('one');
    await one.fleet.wake('web');
    await company.kill(one);
    const two = await company.start('two');
    await clock.advanceAsync(20_000);
    expect(two.service('web').status).toBe('awake');
    two.store.failure = new Error('away');
    await clock.advanceAsync(AFTER_MS * 3);
    expect(runtime.count('stop')).toBe(0);
  });

  it('does what an operator asks at once, and ends, although the store does not answer', async () => {
    const company = new FakeCompany();
    const { clock, runtime } = company;
    const one = await company.start('one');
    await one.fleet.wake('web');
    await clock.advanceAsync(1_000);
    one.store.frozen = true;
    const asleep = watch(one.service('web').sleep('operator', 'stop'));
    await clock.advanceAsync(1_000);
    expect(asleep.value).toBe(true);
    expect(runtime.count('stop')).toBe(1);
    const closed = watch(one.fleet.close());
    await clock.advanceAsync(6_000);
    expect(closed.settled).toBe(true);
  });

  it('starts although the store does not answer', async () => {
    const company = new FakeCompany();
    const { clock } = company;
    const store = new FakeStore(company.disk, clock);
    store.frozen = true;
    const { runtime } = company;
    const harness = new FleetHarness({ clock, runtime, store, proxyId: 'one', shared: true });
    const started = watch(harness.start(fleetSpec('web')));
    await clock.advanceAsync(10_000);
    expect(started.settled).toBe(true);
    await harness.fleet.wake('web');
    expect(harness.states('web')).toEqual(['ready']);
  });
});
