import { beforeEach, describe, expect, it } from 'vitest';
import type { ScaleSpec } from '../../../../src/config/service-spec.ts';
import { fleetSpec, startFleet, watch, type FleetHarness } from '../../../support/set-ups/fleet.ts';

const COOLDOWN = 20_000;
const spec = (changes: Partial<ScaleSpec> = {}) =>
  fleetSpec('web', { scale: { min: 0, max: 4, inFlight: 10, cooldownMs: COOLDOWN, ...changes } });

let harness: FleetHarness;

async function awake(scale?: Partial<ScaleSpec>): Promise<void> {
  harness = await startFleet(spec(scale));
  watch(harness.fleet.wake('web'));
  await harness.pass();
}

/** So many requests on one instance. Returns their end. */
function requests(count: number, id?: string): () => void {
  const ends = Array.from({ length: count }, () => harness.data.request('web', id));
  return () => ends.forEach((end) => end());
}

const offered = (): string[] => harness.data.offered('web');
const told = () => harness.events.filter(({ type }) => type.startsWith('scale.')).map(({ type, data }) => [type, data]);

describe('more requests than the target', () => {
  beforeEach(() => awake());

  it('bring as many instances as they need, after they have lasted', async () => {
    requests(25);
    await harness.pass(3_000);
    expect(offered()).toEqual(['web-1']);
    await harness.pass(1_000);
    expect(offered()).toEqual(['web-1', 'web-2', 'web-3']);
    const detail = 'web goes to 3: 25 requests in flight each, target 10';
    expect(told()).toEqual([['scale.up', { from: 1, to: 3, reason: 'in_flight', detail }]]);
    expect(harness.service('web').desired).toBe(3);
  });

  it('that are over soon bring nobody', async () => {
    const end = requests(25);
    await harness.pass(2_000);
    end();
    await harness.pass(COOLDOWN);
    expect(told()).toEqual([]);
  });

  it('bring no more than the limit', async () => {
    requests(400);
    await harness.pass(5 * COOLDOWN);
    expect(offered()).toHaveLength(4);
    expect(told()).toHaveLength(1);
  });

  it('do not bring more within a cooldown', async () => {
    requests(15);
    await harness.pass(4_000);
    requests(30);
    await harness.pass(COOLDOWN - 2_000);
    expect(offered()).toHaveLength(2);
    await harness.pass(3_000);
    expect(offered()).toHaveLength(4);
  });

  it('bring back nobody whom an operator has just taken away', async () => {
    requests(15);
    await harness.pass(4_000);
    watch(harness.service('web').scale(1));
    await harness.pass(COOLDOWN - 1_000);
    expect(offered()).toEqual(['web-1']);
    await harness.pass(2_000);
    expect(offered()).toEqual(['web-1', 'web-2']);
  });
});

describe('a CPU above its target', () => {
  it('brings another instance, with the reason', async () => {
    await awake({ cpu: 70 });
    harness.runtime.behave('web', { usage: { cpuRatio: 0.98, memoryBytes: 1, memoryLimitBytes: 2 } });
    await harness.pass(5_000);
    expect(offered()).toEqual(['web-1', 'web-2']);
    const detail = 'web goes to 2: 1 at 98 % of their CPU limit, target 70 %';
    expect(told()).toEqual([['scale.up', { from: 1, to: 2, reason: 'cpu', detail }]]);
  });

  it('brings nobody where the manifest has no target for it', async () => {
    await awake();
    harness.runtime.behave('web', { usage: { cpuRatio: 1, memoryBytes: 1, memoryLimitBytes: 2 } });
    await harness.pass(60_000);
    expect(told()).toEqual([]);
  });
});

describe('less load than fewer could carry', () => {
  let end: () => void;
  beforeEach(async () => {
    await awake();
    end = requests(25);
    await harness.pass(4_000);
    requests(1);
  });

  it('takes instances away after a cooldown, and stops them', async () => {
    end();
    await harness.pass(COOLDOWN - 2_000);
    expect(offered()).toHaveLength(3);
    await harness.pass(4_000);
    expect(offered()).toEqual(['web-1']);
    expect(harness.states('web')).toEqual(['ready', 'stopped', 'stopped']);
    expect(told()[1]).toMatchObject(['scale.down', { from: 3, to: 1, reason: 'low_load' }]);
    expect(harness.eventsOf('instance.stopped').map(({ data }) => data)).toMatchObject([
      { reason: 'idle' },
      { reason: 'idle' },
    ]);
  });

  it('lets what is in flight end first', async () => {
    end();
    const last = requests(1, 'web-3');
    await harness.pass(COOLDOWN + 2_000);
    expect(harness.states('web')).toEqual(['ready', 'stopped', 'draining']);
    last();
    await harness.pass(1_000);
    expect(harness.states('web')).toEqual(['ready', 'stopped', 'stopped']);
  });

  it('gives way to an operator who asks for another number while it drains', async () => {
    end();
    requests(1, 'web-3');
    await harness.pass(COOLDOWN + 2_000);
    expect(harness.states('web')).toContain('draining');
    watch(harness.service('web').scale(4));
    await harness.pass(COOLDOWN - 5_000);
    expect(harness.service('web').desired).toBe(4);
    expect(offered()).toHaveLength(4);
  });

  it('cuts nothing that is open for long: who has it stays', async () => {
    end();
    const close = requests(1, 'web-3');
    await harness.pass(COOLDOWN + 33_000);
    expect(offered()).toEqual(['web-1', 'web-3']);
    expect(harness.service('web').status).toBe('awake');
    close();
    await harness.pass(COOLDOWN + 33_000);
    expect(offered()).toEqual(['web-1']);
    expect(told().map(([, data]) => data)).toMatchObject([
      { from: 1, to: 3 },
      { from: 3, to: 2 },
      { from: 2, to: 1 },
    ]);
  });

  it('is no reason to do anything while the service goes to sleep as a whole', async () => {
    watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass(5 * COOLDOWN);
    expect(told()).toHaveLength(1);
    expect(harness.clock.pendingCount).toBeLessThan(5);
  });

  it('begins with one again when it wakes next time', async () => {
    watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass(31_000);
    await harness.fleet.wake('web');
    await harness.pass();
    expect(offered()).toEqual(['web-1']);
  });
});

describe('what must always run', () => {
  it('is never taken away', async () => {
    harness = await startFleet(spec({ min: 2 }));
    await harness.pass(5 * COOLDOWN);
    expect(offered()).toEqual(['web-1', 'web-2']);
    expect(told()).toEqual([]);
  });
});

describe('an instance that cannot be added', () => {
  it('is told once as failed and leaves the others serving', async () => {
    await awake();
    harness.runtime.behave('web', { createFails: new Error('no room') });
    requests(15);
    await harness.pass(10_000);
    expect(offered()).toEqual(['web-1']);
    expect(harness.service('web').status).toBe('degraded');
    harness.runtime.behave('web', { createFails: undefined as never });
    await harness.pass(60_000);
    expect(offered()).toEqual(['web-1', 'web-2']);
  });
});
