import { pino } from 'pino';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Member } from '../../../../src/fleet/member.ts';
import { Registry } from '../../../../src/fleet/records/registry.ts';
import type { ServiceRecord } from '../../../../src/fleet/state-store.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { FakeStore } from '../../../support/fakes/fake-store.ts';
import { fleetSpec, FleetHarness } from '../../../support/set-ups/fleet.ts';
import { serviceSpec } from '../../../support/samples/service-spec.ts';

class TestMember {
  readonly name: string;
  readonly spec;
  readonly instanceViews = [];
  readonly failure = undefined;
  status = 'asleep';
  desired = 1;

  constructor(name: string) {
    this.name = name;
    this.spec = serviceSpec({ name });
  }
}

describe('Registry', () => {
  let clock: FakeClock;
  let disk: Map<string, ServiceRecord>;
  let store: FakeStore;
  let lines: string[];
  let registry: Registry;
  const web = new TestMember('web');
  const api = new TestMember('api');
  beforeEach(async () => {
    clock = new FakeClock();
    disk = new Map();
    store = new FakeStore(disk);
    lines = [];
    await store.start();
    registry = registryOf(store);
    Object.assign(web, { status: 'asleep', desired: 1 });
  });

  function registryOf(over: FakeStore): Registry {
    const log = pino({}, { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
    return new Registry({ store: over, clock, log, proxyId: 'proxy-1' });
  }

  function changed(member: TestMember, change: Partial<TestMember> = {}): void {
    Object.assign(member, change);
    registry.changed(member as unknown as Member);
  }

  /** What is stored: `web asleep 3` is rev 3. */
  function stored(): string[] {
    return [...disk.values()].map(({ _id, status, rev }) => `${_id} ${status} ${rev}`).sort();
  }

  it('writes behind: nobody waits, and what follows closely is one write of the newest state', async () => {
    const writes = vi.spyOn(store, 'putService');
    changed(web, { status: 'waking' });
    await clock.advanceAsync(200);
    changed(web, { status: 'awake' });
    expect(stored()).toEqual([]);
    await clock.advanceAsync(50);
    expect(stored()).toEqual(['web awake 1']);
    expect(writes).toHaveBeenCalledTimes(1);
    expect(clock.pendingCount).toBe(0);
  });

  it('writes a state as it is at the time of the write', async () => {
    changed(web, { status: 'waking' });
    web.status = 'awake';
    await clock.advanceAsync(250);
    expect(stored()).toEqual(['web awake 1']);
  });

  it('gives each write a greater rev, also after a restart', async () => {
    for (const status of ['waking', 'awake', 'asleep']) {
      changed(web, { status });
      await clock.advanceAsync(250);
    }
    expect(stored()).toEqual(['web asleep 3']);
    registry = registryOf(store);
    await registry.load({ read: () => undefined, changed: () => undefined });
    changed(web, { status: 'awake' });
    await clock.advanceAsync(250);
    expect(stored()).toEqual(['web awake 4']);
  });

  it('writes what changes while it writes', async () => {
    let release!: () => void;
    const put = store.putService.bind(store);
    vi.spyOn(store, 'putService').mockImplementationOnce(async (record) => {
      await new Promise<void>((resolve) => (release = resolve));
      return put(record);
    });
    changed(web, { status: 'waking' });
    await clock.advanceAsync(250);
    changed(web, { status: 'awake' });
    release();
    await clock.advanceAsync(250);
    expect(stored()).toEqual(['web awake 2']);
  });

  it('keeps what the store does not take, and writes the newest when it is back', async () => {
    store.failure = new Error('disk full');
    changed(web, { status: 'waking' });
    changed(api);
    await clock.advanceAsync(250);
    changed(web, { status: 'awake' });
    await clock.advanceAsync(60_000);
    expect(stored()).toEqual([]);
    store.failure = undefined;
    await clock.advanceAsync(10_000);
    expect(stored().map((each) => each.split(' ').slice(0, 2).join(' '))).toEqual(['api asleep', 'web awake']);
    expect(clock.pendingCount).toBe(0);
  });

  it('does not hammer a store that is away, and leaves it to the store to say so', async () => {
    const writes = vi.spyOn(store, 'putService');
    store.failure = new Error('disk full');
    changed(web);
    await clock.advanceAsync(60_000);
    expect(writes.mock.calls.length).toBeLessThan(25);
    store.failure = undefined;
    await clock.advanceAsync(10_000);
    expect(stored()).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  it('outgrows what the store remembers when that could not be read', async () => {
    disk.set('web', { _id: 'web', rev: 41, status: 'awake' } as ServiceRecord);
    store.failure = new Error('away');
    const read = vi.fn();
    await registry.load({ read, changed: () => undefined });
    expect(read).not.toHaveBeenCalled();
    changed(web, { status: 'asleep' });
    await clock.advanceAsync(250);
    store.failure = undefined;
    await clock.advanceAsync(10_000);
    expect(stored()).toEqual(['web asleep 42']);
  });

  it('removes what has left the manifest, also when the store was away meanwhile', async () => {
    changed(web);
    await clock.advanceAsync(250);
    store.failure = new Error('away');
    changed(web, { status: 'awake' });
    registry.removed('web');
    await clock.advanceAsync(1_000);
    store.failure = undefined;
    await clock.advanceAsync(10_000);
    expect(stored()).toEqual([]);
  });

  it('keeps what is removed and added again', async () => {
    changed(web);
    await clock.advanceAsync(250);
    registry.removed('web');
    changed(web, { status: 'awake' });
    await clock.advanceAsync(250);
    expect(stored()).toEqual(['web awake 2']);
  });

  it('writes what is left when it closes, and sets no alarm any more', async () => {
    changed(web, { status: 'awake' });
    await registry.close();
    expect(stored()).toEqual(['web awake 1']);
    expect(clock.pendingCount).toBe(0);
  });

  it('closes although the store is away', async () => {
    store.failure = new Error('away');
    changed(web);
    await clock.advanceAsync(250);
    await registry.close();
    expect(clock.pendingCount).toBe(0);
  });

  describe('in the fleet', () => {
    const scalable = fleetSpec('web', { scale: { min: 0, max: 3, cooldownMs: 60_000 } });

    it('brings back how many instances the operator wanted', async () => {
      const first = await new FleetHarness({ store }).start(scalable);
      await first.fleet.managed('web').scale(3);
      await first.fleet.close();
      const second = await new FleetHarness({ store: new FakeStore(disk) }).start(scalable);
      expect(second.service('web').desired).toBe(3);
      await second.fleet.wake('web');
      await second.pass();
      expect(second.states('web')).toEqual(['ready', 'ready', 'ready']);
    });

    it.each([
      [9, 3],
      [0, 1],
    ])('keeps within what the manifest allows now when %i was remembered', async (desired, expected) => {
      disk.set('web', { _id: 'web', rev: 1, desired } as ServiceRecord);
      const { fleet } = await new FleetHarness({ store }).start(scalable);
      expect(fleet.managed('web').desired).toBe(expected);
    });

    it('forgets services that have left the manifest while the daemon was down', async () => {
      disk.set('old', { _id: 'old', rev: 5, desired: 1 } as ServiceRecord);
      const harness = await new FleetHarness({ store }).start(scalable);
      await harness.pass(250);
      expect([...disk.keys()]).toEqual(['web']);
    });

    it('brings it back, and takes away what left the manifest, when the store was away at the start', async () => {
      disk.set('web', { _id: 'web', rev: 4, desired: 3 } as ServiceRecord);
      disk.set('old', { _id: 'old', rev: 5, desired: 1 } as ServiceRecord);
      store.failure = new Error('away');
      const harness = await new FleetHarness({ store }).start(scalable);
      await harness.fleet.wake('web');
      await harness.pass(60_000);
      expect(harness.states('web')).toEqual(['ready']);
      store.failure = undefined;
      await harness.pass(10_000);
      expect(harness.states('web')).toEqual(['ready', 'ready', 'ready']);
      expect([...disk.keys()]).toEqual(['web']);
      expect(disk.get('web')).toMatchObject({ desired: 3, status: 'awake' });
    });

    it('lets what the operator asked for meanwhile count more', async () => {
      disk.set('web', { _id: 'web', rev: 4, desired: 3 } as ServiceRecord);
      store.failure = new Error('away');
      const harness = await new FleetHarness({ store }).start(scalable);
      await harness.fleet.managed('web').scale(2);
      store.failure = undefined;
      await harness.pass(10_000);
      expect(harness.service('web').desired).toBe(2);
      expect(disk.get('web')).toMatchObject({ desired: 2 });
    });

    it('starts although the store takes for ever to be read', async () => {
      vi.spyOn(store, 'listServices').mockReturnValue(new Promise(() => undefined));
      const harness = new FleetHarness({ store });
      const started = harness.start(scalable);
      await harness.pass(3_000);
      await started;
      await harness.fleet.wake('web');
      expect(harness.service('web').status).toBe('awake');
    });

    it('tells everyone else who tells of services, too, that they have left', async () => {
      disk.set('old', { _id: 'old', rev: 5, desired: 1 } as ServiceRecord);
      const removed: string[] = [];
      const observers = [{ changed: () => undefined, removed: (name: string) => void removed.push(name) }];
      await new FleetHarness({ store, tools: { observers } }).start(scalable);
      expect(removed).toEqual(['old']);
    });

    it('does not hold up a wake while the store is away', async () => {
      const harness = await new FleetHarness({ store }).start(scalable);
      store.failure = new Error('away');
      await harness.fleet.wake('web');
      expect(harness.service('web').status).toBe('awake');
    });
  });
});
