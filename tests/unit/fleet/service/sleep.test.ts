import { describe, expect, it } from 'vitest';
import type { SleepTier } from '../../../../src/config/service-spec.ts';
import { FleetHarness, fleetSpec, startFleet, watch } from '../../../support/set-ups/fleet.ts';

const MINUTE = 60_000;
const AFTER = 15 * MINUTE;

function tiers(...all: [SleepTier, ...SleepTier[]]): { sleep: { tiers: [SleepTier, ...SleepTier[]]; unless: object } } {
  return { sleep: { tiers: all, unless: {} } };
}

describe('an idle service', () => {
  it('falls asleep when nothing has been in flight for its whole idle time', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    await harness.pass(AFTER - 1);
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(1);
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.data.view('web')).toMatchObject({ status: 'asleep', upstreams: [] });
    const reason = { reason: 'idle', strategy: 'stop' };
    expect(harness.eventsOf('instance.stopped').map(({ data }) => data)).toEqual([reason]);
    expect(harness.eventsOf('service.asleep').map(({ data }) => data)).toEqual([reason]);
  });

  it('stays awake while anything is in flight, and its time begins with the end of the last', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    const endFirst = harness.data.request('web');
    await harness.pass(AFTER);
    const endSecond = harness.data.request('web');
    await harness.pass(AFTER);
    endFirst();
    await harness.pass(AFTER);
    endSecond();
    await harness.pass(AFTER - 1);
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(1);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('that was told to drain and turns out to be busy stays', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    harness.data.reports = false;
    const end = harness.data.request('web');
    await harness.pass(AFTER);
    expect(harness.states('web')).toEqual(['draining']);
    harness.data.reports = true;
    harness.data.report('web', 'web-1');
    await harness.pass(1_000);
    expect(harness.states('web')).toEqual(['ready']);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    end();
    await harness.pass(AFTER);
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.runtime.starts('web')).toBe(1);
  });

  it.each([
    ['is under way', 30],
    ['is over', 10],
  ])('stays when a request that %s is told of only when its idle time is up', async (_how, takesMs) => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    const dispatcher = harness.realDispatcher();
    await harness.pass(AFTER - 20);
    const lease = dispatcher.pool('web')?.acquire({ port: 3000 });
    await harness.pass(takesMs);
    lease?.release('served');
    await harness.pass(AFTER - 200);
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(300);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('is put to sleep once, however its idle time adds up in fractions', async () => {
    const [readyMs, changedMs] = [5_813.886814464967, 6_689.00098440048];
    const harness = await startFleet(fleetSpec('web', tiers({ afterMs: MINUTE, strategy: 'stop' })));
    await harness.pass(readyMs);
    await harness.fleet.wake('web');
    await harness.pass(changedMs - readyMs);
    harness.service('web').changed();
    await harness.pass(MINUTE);
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.runtime.count('stop')).toBe(1);
  });

  it('never sleeps with sleep: false', async () => {
    const harness = await startFleet(fleetSpec('web', { sleep: false }));
    await harness.fleet.wake('web');
    await harness.pass(3 * AFTER);
    expect(harness.states('web')).toEqual(['ready']);
  });

  it('is counted from its adoption when it was running before the daemon', async () => {
    const harness = new FleetHarness();
    const spec = fleetSpec('web');
    await harness.runtime.plant(spec);
    await harness.pass(MINUTE);
    await harness.start(spec);
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(AFTER - 1);
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(1);
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.runtime.starts('web')).toBe(0);
  });

  it('asks for nothing more once it sleeps and the fleet is closed', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    await harness.fleet.close();
    harness.runtime.calls.length = 0;
    await harness.pass(10 * AFTER);
    expect(harness.runtime.calls).toEqual([]);
  });

  it('whose stop the runtime refuses is tried again later', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    harness.runtime.setCondition({ up: false, code: 'unreachable', reason: 'no socket' });
    await harness.pass(AFTER);
    harness.runtime.setCondition({ up: true });
    await harness.pass();
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(AFTER);
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.runtime.starts('web')).toBe(1);
  });
});

describe('tiers', () => {
  const three = tiers(
    { afterMs: 5 * MINUTE, strategy: 'pause' },
    { afterMs: 10 * MINUTE, strategy: 'stop' },
    { afterMs: 60 * MINUTE, strategy: 'remove' },
  );

  it('lead deeper, each counted from the one before', async () => {
    const harness = await startFleet(fleetSpec('web', three));
    await harness.fleet.wake('web');
    const seen: string[] = [];
    for (const minutes of [5, 10, 60]) {
      await harness.pass(minutes * MINUTE - 1);
      seen.push(...harness.states('web'));
      await harness.pass(1);
      seen.push(...harness.states('web'));
    }
    expect(seen).toEqual(['ready', 'paused', 'paused', 'stopped', 'stopped', 'absent']);
    expect(harness.eventTypes('web').filter((type) => type === 'service.asleep')).toHaveLength(1);
    const strategies = harness.eventsOf('instance.stopped').map(({ data }) => data['strategy']);
    expect(strategies).toEqual(['pause', 'stop', 'remove']);
    expect(harness.clock.pendingCount).toBeLessThan(5);
  });

  it('begin again after a wake in between', async () => {
    const harness = await startFleet(fleetSpec('web', three));
    await harness.fleet.wake('web');
    await harness.pass(14 * MINUTE);
    await harness.fleet.wake('web');
    await harness.pass(4 * MINUTE);
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(1 * MINUTE);
    expect(harness.states('web')).toEqual(['paused']);
    expect(harness.runtime.starts('web')).toBe(1);
  });

  it('go on from where the operator has put it', async () => {
    const harness = await startFleet(fleetSpec('web', three));
    await harness.fleet.wake('web');
    await harness.service('web').sleep('operator', 'pause');
    await harness.pass(10 * MINUTE);
    expect(harness.states('web')).toEqual(['stopped']);
  });
});

describe('a service with scale.min', () => {
  it('starts with the daemon and never sleeps below it', async () => {
    const harness = await startFleet(fleetSpec('web', { scale: { min: 1, max: 3, cooldownMs: MINUTE } }));
    expect(harness.states('web')).toEqual(['ready']);
    await harness.service('web').scale(3);
    await harness.pass(AFTER);
    expect(harness.states('web')).toEqual(['ready', 'stopped', 'stopped']);
    expect(harness.data.view('web').status).toBe('awake');
    expect(harness.service('web').desired).toBe(1);
    expect(harness.eventsOf('scale.down')[0]?.data).toEqual({ from: 3, to: 1, reason: 'idle' });
    await harness.pass(10 * AFTER);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.eventsOf('service.asleep')).toEqual([]);
  });

  it('keeps one that serves, whichever it is', async () => {
    const harness = await startFleet(fleetSpec('web', { scale: { min: 1, max: 3, cooldownMs: MINUTE } }));
    await harness.service('web').scale(3);
    await harness.pass(AFTER - 1_000);
    harness.runtime.behave('web', { createFails: new Error('no room') });
    harness.runtime.exit('web-1', 1);
    await harness.pass(1_001);
    expect(harness.data.offered('web')).toEqual(['web-2']);
  });
});

describe('a service without scale.min', () => {
  it('wakes as large as it was when it fell asleep', async () => {
    const harness = await startFleet(fleetSpec('web', { scale: { min: 0, max: 3, cooldownMs: MINUTE } }));
    await harness.service('web').scale(2);
    await harness.pass(AFTER);
    expect(harness.states('web')).toEqual(['stopped', 'stopped']);
    await harness.fleet.wake('web');
    await harness.pass();
    expect(harness.states('web')).toEqual(['ready', 'ready']);
  });
});

describe('a dependency', () => {
  const web = fleetSpec('web', { dependsOn: { db: 'ready' }, ...tiers({ afterMs: 30 * MINUTE, strategy: 'stop' }) });
  const db = fleetSpec('db', tiers({ afterMs: 10 * MINUTE, strategy: 'stop' }));

  it('stays while a dependent is awake, and its time begins when the last has fallen asleep', async () => {
    const other = fleetSpec('other', {
      dependsOn: { db: 'ready' },
      ...tiers({ afterMs: 40 * MINUTE, strategy: 'stop' }),
    });
    const harness = await startFleet(web, other, db);
    await Promise.all([harness.fleet.wake('web'), harness.fleet.wake('other')]);
    await harness.pass(40 * MINUTE);
    expect([harness.service('web').status, harness.service('other').status]).toEqual(['asleep', 'asleep']);
    await harness.pass(10 * MINUTE - 1);
    expect(harness.states('db')).toEqual(['ready']);
    await harness.pass(1);
    expect(harness.states('db')).toEqual(['stopped']);
  });

  it('is not kept by a dependent that only goes to a deeper sleep', async () => {
    const deep = {
      ...web,
      ...tiers({ afterMs: 5 * MINUTE, strategy: 'pause' }, { afterMs: 5 * MINUTE, strategy: 'stop' }),
    };
    const harness = await startFleet(deep, db);
    await harness.fleet.wake('web');
    await harness.pass(15 * MINUTE);
    expect(harness.states('db')).toEqual(['stopped']);
  });

  it('falls asleep after its own time when no dependent was ever awake', async () => {
    const harness = await startFleet(web, db);
    await harness.fleet.wake('db');
    await harness.pass(10 * MINUTE);
    expect(harness.states('db')).toEqual(['stopped']);
  });

  it('stays for a dependent that is still waking', async () => {
    const harness = await startFleet(web, db);
    harness.runtime.behave('web', { prepareMs: 20 * MINUTE });
    watch(harness.fleet.wake('web'));
    await harness.pass(19 * MINUTE);
    expect(harness.states('db')).toEqual(['ready']);
  });
});

describe('a sleep that the operator asks for', () => {
  it('waits for what is in flight', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    const end = harness.data.request('web');
    const sleep = watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass(20_000);
    expect(harness.states('web')).toEqual(['draining']);
    expect(harness.data.offered('web')).toEqual([]);
    end();
    await harness.pass();
    expect(sleep.value).toBe(true);
    expect(harness.eventsOf('service.asleep')[0]?.data).toMatchObject({ reason: 'operator' });
  });

  it('does not wait longer than the drain timeout', async () => {
    const harness = await startFleet(fleetSpec('web'));
    await harness.fleet.wake('web');
    harness.data.request('web');
    const sleep = watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass(29_999);
    expect(sleep.settled).toBe(false);
    await harness.pass(1);
    expect(sleep.value).toBe(true);
    expect(harness.states('web')).toEqual(['stopped']);
  });
});
