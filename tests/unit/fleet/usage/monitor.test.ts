import { beforeEach, describe, expect, it } from 'vitest';
import { fleetSpec, startFleet, watch, type FleetHarness } from '../../../support/set-ups/fleet.ts';

const MB = 1_000_000;
const LIMIT = 100 * MB;
const web = fleetSpec('web', { scale: { min: 0, max: 3, cooldownMs: 60_000 } });

let harness: FleetHarness;
beforeEach(async () => {
  harness = await startFleet(web);
});

/** What every instance of web uses from now on. */
function uses(cpuPercent: number | null, memoryPercent = 10): void {
  const cpuRatio = cpuPercent === null ? null : cpuPercent / 100;
  harness.runtime.behave('web', {
    usage: { cpuRatio, memoryBytes: (memoryPercent / 100) * LIMIT, memoryLimitBytes: LIMIT },
  });
}

async function wake(): Promise<void> {
  watch(harness.fleet.wake('web'));
  // Readings begin when nobody waits for the engine's other answers any more.
  await harness.pass(100);
}

const usage = (id = 'web-1') => harness.fleet.monitor.usageOf('web', id);
const streams = (id = 'web-1') => harness.runtime.usageStreams(id);
const told = (): unknown[] =>
  harness.events.filter(({ type }) => /^(cpu|memory)\./.test(type)).map(({ type, instanceId }) => [type, instanceId]);

describe('the readings of an instance', () => {
  it('come from one stream, which begins when it runs and ends with it', async () => {
    uses(25);
    expect(usage()).toBeUndefined();
    await wake();
    expect(usage()).toMatchObject({ cpuRatio: 0.25, memoryBytes: 10 * MB, memoryLimitBytes: LIMIT });
    await harness.pass(10_000);
    expect(streams()).toEqual({ opened: 1, open: 1 });
    await harness.service('web').sleep('operator', 'stop');
    await harness.pass();
    expect(usage()).toBeUndefined();
    expect(streams()).toEqual({ opened: 1, open: 0 });
  });

  it.each(['pause', 'remove'] as const)('end with a %s and come back with the next wake', async (strategy) => {
    await wake();
    await harness.service('web').sleep('operator', strategy);
    await harness.pass(60_000);
    expect([usage(), streams().open]).toEqual([undefined, 0]);
    await wake();
    expect(usage()).toBeDefined();
    expect(streams().open).toBe(1);
  });

  it('begin while it is not ready yet', async () => {
    harness.prober.refuse('web');
    uses(90);
    await wake();
    expect(harness.states('web')).toEqual(['probing']);
    expect(usage()?.cpuRatio).toBe(0.9);
  });

  it('are those of the new one after it has died and come back', async () => {
    await wake();
    harness.runtime.exit('web-1', 1);
    await harness.pass();
    expect(usage()).toBeUndefined();
    await wake();
    await harness.pass(5_000);
    expect(streams().open).toBe(1);
    expect(usage()).toBeDefined();
  });

  it('are those of every instance, each from its own stream', async () => {
    harness.runtime.behave('web', {
      usage: ({ key }) => ({ cpuRatio: key.index / 10, memoryBytes: key.index, memoryLimitBytes: LIMIT }),
    });
    watch(harness.service('web').scale(3));
    await harness.pass(2_000);
    expect(['web-1', 'web-2', 'web-3'].map((id) => usage(id)?.cpuRatio)).toEqual([0.1, 0.2, 0.3]);
    expect(['web-1', 'web-2', 'web-3'].map((id) => streams(id))).toEqual(Array(3).fill({ opened: 1, open: 1 }));
  });

  it('begin when one that ran before the daemon is adopted', async () => {
    const { runtime } = harness;
    await harness.fleet.close();
    await runtime.plant(web);
    harness = await startFleet(web);
    expect(usage()).toBeUndefined();
    await harness.runtime.plant(web);
    harness.runtime.setCondition({ up: true });
    await harness.pass(1_000);
    expect(usage()).toBeDefined();
  });

  it('end when the service leaves the manifest, and when the daemon ends', async () => {
    await wake();
    watch(harness.fleet.apply(new Map()));
    await harness.pass(1_000);
    expect([usage(), streams().open, harness.fleet.monitor.samples('web')]).toEqual([undefined, 0, []]);
    harness = await startFleet(web);
    await wake();
    await harness.fleet.close();
    await harness.pass();
    expect(streams().open).toBe(0);
  });
});

describe('a stream of readings', () => {
  it('that breaks is opened anew, and until then nothing is known', async () => {
    await wake();
    harness.runtime.behave('web', { usageFails: new Error('the stream broke') });
    await harness.pass(1_000);
    expect([usage(), streams().open]).toEqual([undefined, 0]);
    await harness.pass(60_000);
    harness.runtime.behave('web', { usageFails: undefined as never });
    await harness.pass(15_000);
    expect(usage()).toBeDefined();
    expect(streams().open).toBe(1);
    const said = harness.logged.map(({ msg }) => msg).filter((msg) => msg.includes('the use of web-1'));
    expect(said).toEqual([
      'the use of web-1 cannot be read: the stream broke; tried again until it can',
      'the use of web-1 can be read again',
    ]);
  });

  it('is not opened more and more often the longer it fails', async () => {
    harness.runtime.behave('web', { usageFails: new Error('no') });
    await wake();
    await harness.pass(10 * 60_000);
    expect(streams().opened).toBeLessThan(100);
    expect(streams().opened).toBeGreaterThan(30);
  });

  it('that hangs is noticed and opened anew, although it heeds no signal', async () => {
    await wake();
    harness.runtime.behave('web', { usageFails: 'hangs' });
    await harness.pass(14_000);
    expect(streams().opened).toBe(1);
    await harness.pass(4_000);
    expect(usage()).toBeUndefined();
    expect(streams().opened).toBe(2);
    harness.runtime.behave('web', { usageFails: undefined as never });
    await harness.pass(20_000);
    expect(usage()).toBeDefined();
  });

  it('of one that hangs does not keep the daemon from ending', async () => {
    await wake();
    harness.runtime.behave('web', { usageFails: 'hangs' });
    await harness.pass(2_000);
    await harness.fleet.close();
    await harness.pass(60_000);
    expect(streams().opened).toBe(1);
  });
});

describe('samples', () => {
  it('hold what was used and how much was in flight, the oldest first', async () => {
    uses(25);
    await wake();
    const end = harness.data.request('web');
    uses(50);
    await harness.pass(1_000);
    end();
    const samples = harness.fleet.monitor.samples('web');
    expect(samples).toMatchObject([
      {
        service: 'web',
        instanceId: 'web-1',
        cpuRatio: 0.25,
        memoryBytes: 10 * MB,
        memoryLimitBytes: LIMIT,
        inFlight: 0,
      },
      { cpuRatio: 0.5, inFlight: 1 },
    ]);
    expect((samples[1]?.atEpochMs ?? 0) - (samples[0]?.atEpochMs ?? 0)).toBe(1_000);
  });

  it('are kept when it sleeps, and are not made while it does', async () => {
    await wake();
    await harness.pass(3_000);
    await harness.service('web').sleep('operator', 'stop');
    const before = harness.fleet.monitor.samples('web').length;
    await harness.pass(60_000);
    expect(before).toBe(4);
    expect(harness.fleet.monitor.samples('web')).toHaveLength(before);
  });

  it('are bounded', async () => {
    await wake();
    await harness.pass(10 * 60_000);
    expect(harness.fleet.monitor.samples('web')).toHaveLength(300);
  });

  it('are taken as often as the manifest says, each the mean of its time', async () => {
    const monitor = { ...web.monitor, everyMs: 4_000 };
    harness = await startFleet({ ...web, monitor });
    let n = 0;
    harness.runtime.behave('web', { usage: () => ({ cpuRatio: (n += 1), memoryBytes: n, memoryLimitBytes: LIMIT }) });
    await wake();
    await harness.pass(8_000);
    expect(harness.fleet.monitor.samples('web').map((one) => [one.cpuRatio, one.memoryBytes])).toEqual([
      [1, 1],
      [3.5, 5],
      [7.5, 9],
    ]);
  });

  it('are told to who keeps them longer', async () => {
    const kept: unknown[] = [];
    const stop = harness.fleet.monitor.onSample((sample) => kept.push(sample));
    await wake();
    await harness.pass(2_000);
    expect(kept).toEqual(harness.fleet.monitor.samples('web'));
    stop();
    await harness.pass(2_000);
    expect(kept).toHaveLength(3);
  });
});

describe('thresholds', () => {
  it('ring when they were held for the time, and end when the load was low for as long', async () => {
    await wake();
    uses(70);
    await harness.pass(3_000);
    expect(told()).toEqual([]);
    await harness.pass(1_000);
    uses(95);
    await harness.pass(4_000);
    uses(5);
    await harness.pass(10_000);
    expect(told()).toEqual([
      ['cpu.warn', 'web-1'],
      ['cpu.panic', 'web-1'],
      ['cpu.recovered', 'web-1'],
    ]);
    expect(harness.eventsOf('cpu.warn')[0]?.data).toEqual({
      percent: 70,
      threshold: 60,
      from: 'calm',
      detail: 'web-1 uses 70 % of its CPU limit (warn is at 60 %)',
    });
    expect(harness.eventsOf('cpu.panic')[0]?.data).toMatchObject({ percent: 95, threshold: 80, from: 'warn' });
    expect(harness.eventsOf('cpu.recovered')[0]?.data).toMatchObject({ percent: 5, threshold: 60, from: 'panic' });
  });

  it('are those of memory as well, each for itself', async () => {
    uses(10, 85);
    await wake();
    await harness.pass(3_000);
    uses(90, 97);
    await harness.pass(4_000);
    uses(90, 20);
    await harness.pass(4_000);
    expect(told()).toEqual([
      ['memory.warn', 'web-1'],
      ['cpu.panic', 'web-1'],
      ['memory.panic', 'web-1'],
      ['memory.recovered', 'web-1'],
    ]);
  });

  it('of one instance are no matter of the others', async () => {
    harness.runtime.behave('web', {
      usage: ({ key }) => ({ cpuRatio: key.index === 2 ? 1 : 0, memoryBytes: 1, memoryLimitBytes: LIMIT }),
    });
    watch(harness.service('web').scale(2));
    await harness.pass(10_000);
    expect(told()).toEqual([['cpu.panic', 'web-2']]);
  });

  it('that were crossed are over when it stops', async () => {
    uses(95);
    await wake();
    await harness.pass(3_000);
    await harness.service('web').sleep('operator', 'stop');
    expect(told()).toEqual([
      ['cpu.panic', 'web-1'],
      ['cpu.recovered', 'web-1'],
    ]);
    expect(harness.eventsOf('cpu.recovered')[0]?.data).toMatchObject({ from: 'panic', reason: 'stopped' });
  });

  it('that an earlier life of the daemon has told are not told again, and their end is', async () => {
    uses(95, 90);
    await wake();
    harness.fleet.monitor.recall('web', 'web-1', 'cpu', 'panic');
    harness.fleet.monitor.recall('web', 'web-9', 'cpu', 'panic');
    await harness.pass(2_000);
    uses(95, 10);
    await harness.pass(20_000);
    expect(told()).toEqual([]);
    uses(5, 10);
    await harness.pass(20_000);
    expect(told()).toEqual([['cpu.recovered', 'web-1']]);
    expect(harness.eventsOf('cpu.recovered')[0]?.data).toMatchObject({ from: 'panic' });
  });

  it('that ring and are not kept yet are not told twice', async () => {
    uses(95, 90);
    await wake();
    await harness.pass(10_000);
    harness.events.length = 0;
    for (const kept of ['calm', 'panic'] as const) harness.fleet.monitor.recall('web', 'web-1', 'cpu', kept);
    expect(told()).toEqual([]);
  });

  it('follow an edit of the manifest without a restart', async () => {
    uses(50);
    await wake();
    await harness.pass(5_000);
    const monitor = { ...web.monitor, cpu: { warn: 40, panic: 99 } };
    watch(harness.fleet.apply(new Map([['web', { ...web, monitor }]])));
    await harness.pass(4_000);
    expect(told()).toEqual([['cpu.warn', 'web-1']]);
    expect(streams().opened).toBe(1);
  });

  it('neither ring nor end while nothing can be read', async () => {
    uses(95);
    await wake();
    await harness.pass(2_000);
    uses(null);
    await harness.pass(10_000);
    expect(told()).toEqual([]);
  });
});
