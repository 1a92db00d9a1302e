import { beforeEach, describe, expect, it } from 'vitest';
import type { RuntimeEvent } from '../../../src/fleet/runtime.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { FakeRuntime } from '../../support/fakes/fake-runtime.ts';
import { fleetSpec, FleetHarness, startFleet } from '../../support/set-ups/fleet.ts';

const AWAY = { up: false, code: 'engine_absent', reason: 'no engine answers' } as const;

describe('a fleet that follows what the runtime shows', () => {
  const web = fleetSpec('web');
  let harness: FleetHarness;
  beforeEach(async () => {
    harness = await startFleet(web);
    await harness.fleet.wake('web');
    await settle();
  });

  it('compares everything once a minute', async () => {
    expect(harness.runtime.count('list')).toBe(1);
    await harness.pass(59_999);
    expect(harness.runtime.count('list')).toBe(1);
    await harness.pass(1);
    expect(harness.runtime.count('list')).toBe(2);
    await harness.pass(60_000);
    expect(harness.runtime.count('list')).toBe(3);
  });

  it('goes on comparing after one comparison has failed', async () => {
    const list = harness.runtime.list.bind(harness.runtime);
    harness.runtime.list = () => Promise.reject(new Error('garbled'));
    await harness.pass(60_000);
    expect(harness.logged.some(({ msg }) => msg.includes('could not be brought in line: garbled'))).toBe(true);
    harness.runtime.list = list;
    await harness.pass(60_000);
    expect(harness.runtime.count('list')).toBe(2);
  });

  it('asks nothing of a runtime that is away, and compares when it is back', async () => {
    harness.runtime.setCondition(AWAY);
    await harness.pass(300_000);
    expect(harness.runtime.count('list')).toBe(1);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    harness.runtime.setCondition({ up: true });
    await harness.pass();
    expect(harness.runtime.count('list')).toBe(2);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.runtime.starts('web')).toBe(1);
  });

  it('finds out by itself what ended without a word', async () => {
    const lost = new FleetHarness();
    lost.runtime.onEvent = () => () => undefined;
    await lost.start(web);
    await lost.fleet.wake('web');
    lost.runtime.exit('web-1', 0);
    await lost.pass();
    expect(lost.data.offered('web')).toEqual(['web-1']);
    await lost.pass(60_000);
    expect(lost.data.offered('web')).toEqual([]);
    expect(lost.service('web').status).toBe('asleep');
  });

  it('finds out what was removed while the runtime was away', async () => {
    const { runtimeId } = harness.service('web').instances[0]!;
    const listed = harness.runtime.list.bind(harness.runtime);
    harness.runtime.setCondition(AWAY);
    harness.runtime.list = async () => (await listed()).filter((each) => each.runtimeId !== runtimeId);
    harness.runtime.setCondition({ up: true });
    await harness.pass();
    expect(harness.data.offered('web')).toEqual([]);
    expect(harness.eventTypes('web')).toContain('instance.died');
    expect(harness.service('web').instances[0]?.runtimeId).toBeUndefined();
  });

  it('adopts what somebody else started', async () => {
    await harness.service('web').sleep('operator', 'stop');
    const { runtimeId } = harness.service('web').instances[0]!;
    await harness.runtime.startInstance(runtimeId!);
    await harness.pass(100);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.service('web').status).toBe('awake');
  });

  it('follows an instance that has moved to another address', async () => {
    const [before] = harness.data.upstreams('web');
    const observed = (await harness.runtime.list())[0]!;
    const endpoints = { 3_000: { host: '127.0.0.1', port: 9 } };
    harness.runtime.list = () => Promise.resolve([{ ...observed, endpoints }]);
    harness.runtime.inspect = () => Promise.resolve({ ...observed, endpoints });
    await harness.pass(60_000);
    expect(harness.data.upstreams('web')).toEqual([{ id: 'web-1', endpoints }]);
    expect(before?.endpoints).not.toEqual(endpoints);
  });

  it.each([
    ['the end', { type: 'changed' }],
    ['ill health', { type: 'health', healthy: false }],
  ] as const)('ignores late word of %s of an instance that has been replaced', async (_what, event) => {
    const runtime = new FakeRuntime();
    const listeners: ((event: RuntimeEvent) => void)[] = [];
    runtime.onEvent = (listener) => {
      listeners.push(listener);
      return () => undefined;
    };
    const late = await new FleetHarness({ runtime }).start(web);
    await late.fleet.wake('web');
    const runtimeId = late.service('web').instances[0]?.runtimeId ?? '';
    await late.service('web').sleep('operator', 'remove');
    await late.fleet.wake('web');
    for (const listener of listeners) listener({ ...event, key: { service: 'web', index: 1 }, runtimeId });
    await late.pass();
    expect(late.states('web')).toEqual(['ready']);
    expect(late.eventTypes('web')).not.toContain('instance.died');
  });

  it.each([
    [0, 'began', { began: true }],
    [1, 'changed', {}],
  ] as const)(
    'looks %i times at an instance that it starts itself when the runtime says that it %s',
    async (looks, _what, more) => {
      const runtime = new FakeRuntime();
      const listeners: ((event: RuntimeEvent) => void)[] = [];
      runtime.onEvent = (listener) => {
        listeners.push(listener);
        return () => undefined;
      };
      const waking = await new FleetHarness({ runtime }).start(web);
      waking.prober.refuse('web');
      void waking.fleet.wake('web').catch(() => undefined);
      await waking.pass();
      expect(waking.states('web')).toEqual(['probing']);
      const before = runtime.count('inspect');
      const runtimeId = waking.service('web').instances[0]?.runtimeId ?? '';
      for (const listener of listeners) {
        listener({ type: 'changed', key: { service: 'web', index: 1 }, runtimeId, ...more });
      }
      await settle();
      expect(runtime.count('inspect') - before).toBe(looks);
    },
  );

  it.each(['before', 'after'])(
    'takes the end of a renamed copy, listed %s the one that serves, for no death, and removes it',
    async (place) => {
      const listed = harness.runtime.list.bind(harness.runtime);
      const exit = { code: 0, oomKilled: false };
      harness.runtime.list = async () => {
        const [real] = await listed();
        const copy = { ...real!, runtimeId: 'renamed', state: 'exited' as const, endpoints: {}, exit };
        return place === 'before' ? [copy, real!] : [real!, copy];
      };
      const removed: string[] = [];
      harness.runtime.removeInstance = (runtimeId) => Promise.resolve(void removed.push(runtimeId));
      await harness.pass(60_000);
      expect(harness.eventTypes('web')).not.toContain('instance.died');
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(removed).toEqual(['renamed']);
    },
  );

  it('adopts the copy that runs when it knows none of them', async () => {
    const fresh = new FleetHarness();
    await fresh.runtime.plant(web);
    const listed = fresh.runtime.list.bind(fresh.runtime);
    const ids: string[] = [];
    fresh.runtime.list = async () => {
      const [real] = await listed();
      if (!real) return [];
      ids.push(real.runtimeId);
      return [{ ...real, runtimeId: 'renamed', state: 'exited', endpoints: {} }, real];
    };
    const removed: string[] = [];
    fresh.runtime.removeInstance = (runtimeId) => Promise.resolve(void removed.push(runtimeId));
    await fresh.start(web);
    await fresh.pass(100);
    expect(fresh.service('web').instances[0]?.runtimeId).toBe(ids[0]);
    expect(removed).toEqual(['renamed']);
  });

  it('makes no instance of a word about one that it has never seen', async () => {
    await harness.runtime.plant(web, 7);
    harness.runtime.health('web-7', true);
    await harness.pass();
    expect(harness.service('web').instances.map(({ id }) => id)).toEqual(['web-1']);
  });

  it('pays no attention to what happens to services that it does not know', async () => {
    const other = await harness.runtime.plant(fleetSpec('other'));
    harness.runtime.health('other-1', false);
    await harness.runtime.startInstance(other);
    harness.runtime.exit('other-1', 1);
    await harness.pass();
    expect(harness.eventTypes('other')).toEqual([]);
  });

  it('takes the verdict of the health check, offers the healthy first, and the others when there is none', async () => {
    const wide = { ...web, scale: { min: 0, max: 2, cooldownMs: 0 } };
    await harness.fleet.apply(new Map([['web', wide]]));
    await harness.service('web').scale(2);
    await harness.pass();
    harness.runtime.health('web-1', false);
    expect(harness.data.offered('web')).toEqual(['web-2']);
    expect(harness.service('web').status).toBe('degraded');
    harness.runtime.health('web-2', false);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2']);
    harness.runtime.health('web-1', true);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.eventsOf('instance.unhealthy').map(({ instanceId: id }) => id)).toEqual(['web-1', 'web-2']);
  });

  it('hears nothing any more once it is closed', async () => {
    const release = harness.runtime.hold('list');
    await harness.pass(60_000);
    await harness.fleet.close();
    release();
    await harness.pass();
    const calls = harness.runtime.calls.length;
    await harness.pass(300_000);
    expect(harness.runtime.calls).toHaveLength(calls);
  });
});
