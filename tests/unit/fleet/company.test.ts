import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceRecord } from '../../../src/fleet/state-store.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { FakeRuntime } from '../../support/fakes/fake-runtime.ts';
import { FakeStore } from '../../support/fakes/fake-store.ts';
import { fleetSpec, FleetHarness } from '../../support/set-ups/fleet.ts';

const AFTER_MS = 60_000;
const web = fleetSpec('web', {
  sleep: { tiers: [{ afterMs: AFTER_MS, strategy: 'stop' }], unless: {} },
  scale: { min: 0, max: 3, cooldownMs: 60_000 },
});

describe('several processes on one store and one runtime', () => {
  let clock: FakeClock;
  let runtime: FakeRuntime;
  let disk: Map<string, ServiceRecord>;
  let one: FleetHarness;
  let two: FleetHarness;
  beforeEach(async () => {
    clock = new FakeClock();
    runtime = new FakeRuntime({ clock });
    disk = new Map();
    one = await start('one');
    two = await start('two');
  });

  function start(proxyId: string): Promise<FleetHarness> {
    const store = new FakeStore(disk, clock);
    return new FleetHarness({ clock, runtime: engine(), store, proxyId, shared: true }).start(web);
  }

  /** What one process sees of the runtime: when it ends, what runs goes on. */
  function engine(): FakeRuntime {
    return new Proxy(runtime, {
      get(target, name) {
        if (name === 'close') return () => Promise.resolve();
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** As kill -9 does it: it neither gives back its lease nor says anything. */
  async function kill({ fleet, store }: FleetHarness): Promise<void> {
    await store.close();
    await fleet.close();
  }

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
    expect(disk.get('web')).toMatchObject({ desired: 2 });
  });

  it('take over within ten seconds when the one that leads is killed', async () => {
    await one.fleet.managed('web').scale(2);
    await clock.advanceAsync(1_000);
    await kill(one);
    runtime.exit('web-2', 1);
    await clock.advanceAsync(10_000);
    expect(two.states('web')).toEqual(['ready', 'ready']);
    await clock.advanceAsync(AFTER_MS + 35_000);
    expect(two.eventTypes('web')).toContain('service.asleep');
  });

  it('take over at once when the one that leads ends in order', async () => {
    await one.fleet.close();
    await clock.advanceAsync(1_500);
    expect(two.logged.map(({ msg }) => msg)).toContainEqual(expect.stringContaining('this process leads'));
  });

  it('are never led by two at a time', async () => {
    const three = await start('three');
    const all = [one, two, three];
    for (let step = 0; step < 120; step += 1) {
      if (step === 30) await kill(one);
      if (step === 60) two.store.failure = new Error('cut off');
      if (step === 90) two.store.failure = undefined;
      await clock.advanceAsync(500);
      const leading = all.filter(({ company }) => company?.inCharge(false));
      expect(leading.length).toBeLessThanOrEqual(1);
    }
    expect(all.filter(({ company }) => company?.inCharge(false))).toHaveLength(1);
  });

  describe('while the store is away', () => {
    beforeEach(async () => {
      await one.fleet.wake('web');
      await clock.advanceAsync(1_000);
      one.store.failure = new Error('away');
      two.store.failure = new Error('away');
    });

    it('put to sleep only what they started themselves', async () => {
      await clock.advanceAsync(AFTER_MS * 2 + 35_000);
      expect(one.eventTypes('web')).toContain('service.asleep');
      expect(two.eventTypes('web')).not.toContain('service.asleep');
      expect(runtime.count('stop')).toBe(1);
    });

    it('serve, and wake', async () => {
      await clock.advanceAsync(AFTER_MS * 2 + 35_000);
      await two.fleet.wake('web');
      expect(two.states('web')).toEqual(['ready']);
    });
  });
});
