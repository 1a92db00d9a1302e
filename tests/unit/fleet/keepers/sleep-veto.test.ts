import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../../src/config/service-spec.ts';
import type { FleetHarness } from '../../../support/set-ups/fleet.ts';
import { fleetSpec, startFleet } from '../../../support/set-ups/fleet.ts';
import { silence } from '../../../support/fakes/scripted-prober.ts';

const MINUTE = 60_000;
const memory = { memoryBytes: 1, memoryLimitBytes: 2 };

function unless(rule: { cpuAbove?: number; probe?: string }, changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return fleetSpec('web', { sleep: { tiers: [{ afterMs: MINUTE, strategy: 'stop' }], unless: rule }, ...changes });
}

async function awake(spec: ServiceSpec): Promise<FleetHarness> {
  const harness = await startFleet(spec);
  await harness.fleet.wake('web');
  return harness;
}

describe('a busy CPU', () => {
  it('keeps a service awake until it is busy no more', async () => {
    const harness = await awake(unless({ cpuAbove: 20 }));
    harness.runtime.behave('web', { usage: { cpuRatio: 0.21, ...memory } });
    await harness.pass(5 * MINUTE);
    expect(harness.states('web')).toEqual(['ready']);
    harness.runtime.behave('web', { usage: { cpuRatio: 0.2, ...memory } });
    await harness.pass(30_000);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('that cannot be read keeps nobody awake for long', async () => {
    const harness = await awake(unless({ cpuAbove: 20 }));
    harness.runtime.behave('web', { usage: { cpuRatio: null, ...memory } });
    await harness.pass(MINUTE);
    expect(harness.states('web')).toEqual(['ready']);
    await harness.pass(5_000);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('of one instance is enough', async () => {
    const harness = await awake(unless({ cpuAbove: 20 }, { scale: { min: 0, max: 2, cooldownMs: MINUTE } }));
    await harness.service('web').scale(2);
    harness.runtime.behave('web', { usage: ({ id }) => ({ cpuRatio: id === 'web-1' ? 0 : 1, ...memory }) });
    await harness.pass(5 * MINUTE);
    expect(harness.states('web')).toEqual(['ready', 'ready']);
  });
});

describe('a probe', () => {
  it('that is answered below 400 keeps the service awake', async () => {
    const harness = await awake(unless({ probe: '/busy' }, { protocol: 'h2c' }));
    await harness.pass(5 * MINUTE);
    expect(harness.states('web')).toEqual(['ready']);
    const asked = harness.prober.calls.filter(({ path }) => path === '/busy');
    expect(asked[0]).toMatchObject({ below: 400, options: { protocol: 'h2c' } });
    harness.prober.script = ({ path }) => (path === '/busy' ? { ok: false, reason: '404' } : undefined);
    await harness.pass(30_000);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('that hangs or throws objects to nothing', async () => {
    const harness = await awake(unless({ probe: '/busy' }));
    harness.prober.script = ({ path }, signal) => (path === '/busy' ? silence(signal) : undefined);
    await harness.pass(MINUTE + 5_000);
    expect(harness.states('web')).toEqual(['stopped']);
    harness.prober.script = ({ path }) => {
      if (path === '/busy') throw new Error('no route');
      return undefined;
    };
    await harness.fleet.wake('web');
    await harness.pass(MINUTE);
    expect(harness.states('web')).toEqual(['stopped']);
  });
});

describe('while a veto is asked for', () => {
  async function asking(): Promise<{ harness: FleetHarness; answer: () => void }> {
    const harness = await awake(unless({ probe: '/busy' }));
    let answer = (): void => undefined;
    harness.prober.script = ({ path }) => {
      if (path !== '/busy') return undefined;
      return new Promise((resolve) => (answer = () => resolve({ ok: false, reason: '404' })));
    };
    await harness.pass(MINUTE);
    return { harness, answer: () => answer() };
  }

  it('a request that comes keeps the service awake', async () => {
    const { harness, answer } = await asking();
    harness.data.request('web')();
    answer();
    await harness.pass();
    expect(harness.states('web')).toEqual(['ready']);
    expect(harness.runtime.count('stop')).toBe(0);
  });

  it('the end of the daemon lets everything run on', async () => {
    const { harness, answer } = await asking();
    await harness.fleet.close();
    harness.runtime.calls.length = 0;
    answer();
    await harness.pass(MINUTE);
    expect(harness.runtime.calls).toEqual([]);
  });
});

describe('a service that no longer serves', () => {
  it('is not asked before it goes to a deeper sleep', async () => {
    const tiers = [
      { afterMs: MINUTE, strategy: 'pause' },
      { afterMs: MINUTE, strategy: 'stop' },
    ] as const;
    const harness = await awake(fleetSpec('web', { sleep: { tiers: [...tiers], unless: { probe: '/busy' } } }));
    await harness.service('web').sleep('operator', 'pause');
    await harness.pass(MINUTE);
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.prober.calls.some(({ path }) => path === '/busy')).toBe(false);
  });
});
