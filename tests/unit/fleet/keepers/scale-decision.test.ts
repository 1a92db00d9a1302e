import { describe, expect, it } from 'vitest';
import type { ScaleSpec } from '../../../../src/config/service-spec.ts';
import {
  decideScale,
  followTrend,
  isAutoscaled,
  needOf,
  type InstanceLoad,
  type ScaleDecision,
} from '../../../../src/fleet/keepers/scale-decision.ts';

const both: ScaleSpec = { min: 0, max: 5, cpu: 50, inFlight: 10, cooldownMs: 10_000 };
const byCpu: ScaleSpec = { min: 0, max: 5, cpu: 50, cooldownMs: 10_000 };

const load = (cpuPercent: number | null, inFlight = 0): InstanceLoad => ({
  cpuRatio: cpuPercent === null ? null : cpuPercent / 100,
  inFlight,
});

describe('the need of a load', () => {
  it.each<[string, ScaleSpec, InstanceLoad[], { atLeast: number; atMost: number; reason: string }]>([
    ['is nothing for nobody', both, [], { atLeast: 0, atMost: 0, reason: 'cpu' }],
    ['is one where one is just at its target', both, [load(50)], { atLeast: 1, atMost: 1, reason: 'cpu' }],
    ['adds up over the instances', both, [load(100), load(50)], { atLeast: 3, atMost: 3, reason: 'cpu' }],
    ['counts requests', both, [load(10, 25), load(10, 5)], { atLeast: 3, atMost: 3, reason: 'in_flight' }],
    ['is that of the target that asks for more', both, [load(100, 5)], { atLeast: 2, atMost: 2, reason: 'cpu' }],
    ['is a range where a CPU is not known', byCpu, [load(50), load(null)], { atLeast: 1, atMost: 2, reason: 'cpu' }],
    ['ignores requests without a target', byCpu, [load(0, 99)], { atLeast: 0, atMost: 0, reason: 'cpu' }],
    [
      'ignores the CPU without a target',
      { min: 0, max: 5, inFlight: 10, cooldownMs: 0 },
      [load(null, 10)],
      { atLeast: 1, atMost: 1, reason: 'in_flight' },
    ],
  ])('%s', (_name, scale, loads, expected) => {
    expect(needOf(scale, loads)).toEqual(expected);
  });
});

/** Looks once a second at needs, with so many instances from the beginning; the first decision and when it falls. */
function firstDecision(
  needs: readonly number[],
  { replicas = 1, scale = byCpu, changedAtMs }: { replicas?: number; scale?: ScaleSpec; changedAtMs?: number } = {},
): (ScaleDecision & { atMs: number }) | undefined {
  let trend = {};
  for (const [n, instances] of needs.entries()) {
    const need = { atLeast: instances, atMost: instances, reason: 'cpu' } as const;
    const situation = { scale, replicas, need, nowMs: n * 1_000 };
    trend = followTrend({ ...situation, trend });
    const decision = decideScale({ ...situation, trend, changedAtMs, holdMs: 3_000 });
    if (decision) return { ...decision, atMs: situation.nowMs };
  }
  return undefined;
}

const seconds = (count: number, need: number): number[] => Array<number>(count).fill(need);

describe('the decision to add', () => {
  it.each<[string, number[], Parameters<typeof firstDecision>[1], ReturnType<typeof firstDecision>]>([
    ['waits until the load has lasted', seconds(9, 1.2), {}, { replicas: 2, reason: 'cpu', atMs: 3_000 }],
    ['does not come for a load that is just at the target', seconds(60, 1), {}, undefined],
    ['begins to wait anew when the load was low in between', [2, 2, 2, 1, 2, 2], {}, undefined],
    ['goes at once to as many as are needed', seconds(9, 3.1), {}, { replicas: 4, reason: 'cpu', atMs: 3_000 }],
    [
      'does not take one high reading for the load',
      [1.5, 1.5, 1.5, 4.9],
      {},
      { replicas: 2, reason: 'cpu', atMs: 3_000 },
    ],
    ['never goes above the limit', seconds(9, 40), {}, { replicas: 5, reason: 'cpu', atMs: 3_000 }],
    ['does not come at the limit', seconds(60, 40), { replicas: 5 }, undefined],
    [
      'waits for the end of the cooldown',
      seconds(20, 2),
      { changedAtMs: 0 },
      { replicas: 2, reason: 'cpu', atMs: 10_000 },
    ],
  ])('%s', (_name, needs, options, expected) => {
    expect(firstDecision(needs, options)).toEqual(expected);
  });
});

describe('the decision to take away', () => {
  const [down, atMs] = ['low_load', 10_000] as const;
  it.each<[string, number[], Parameters<typeof firstDecision>[1], ReturnType<typeof firstDecision>]>([
    ['waits for a whole cooldown of low load', seconds(20, 0.5), { replicas: 3 }, { replicas: 1, reason: down, atMs }],
    [
      'leaves as many as the highest load of that time needs',
      [...seconds(5, 0.1), 1.7, ...seconds(9, 0.1)],
      { replicas: 4 },
      { replicas: 2, reason: down, atMs },
    ],
    ['leaves room, lest one is added again at once', seconds(60, 0.95), { replicas: 2 }, undefined],
    [
      'begins to wait anew when the load was high in between',
      [...seconds(9, 0.5), 1.9, ...seconds(9, 0.5)],
      { replicas: 2 },
      undefined,
    ],
    ['leaves one, however little there is to do', seconds(60, 0), { replicas: 1 }, undefined],
    ['never goes below the least', seconds(60, 0), { replicas: 2, scale: { ...byCpu, min: 2 } }, undefined],
    [
      'waits for the end of the cooldown',
      seconds(60, 0),
      { replicas: 2, changedAtMs: 8_000 },
      { replicas: 1, reason: down, atMs: 18_000 },
    ],
    ['takes away what is above the limit', seconds(20, 40), { replicas: 7 }, { replicas: 5, reason: down, atMs }],
  ])('%s', (_name, needs, options, expected) => {
    expect(firstDecision(needs, options)).toEqual(expected);
  });

  it('takes those whose CPU is not known for busy', () => {
    const need = needOf(byCpu, [load(null), load(null)]);
    expect(followTrend({ scale: byCpu, replicas: 2, need, trend: {}, nowMs: 0 })).toEqual({});
  });
});

describe('a service is scaled by its load', () => {
  it.each([
    ['with a target for its CPU', { cpu: 70, max: 2 }, false, true],
    ['with a target for requests', { inFlight: 5, max: 2 }, false, true],
    ['never without a target', { max: 2 }, false, false],
    ['never where there can be one only', { cpu: 70, max: 1 }, false, false],
    ['never where there is no room above the least', { cpu: 70, min: 2, max: 2 }, false, false],
    ['never as a job', { cpu: 70, max: 2 }, true, false],
  ])('%s', (_name, scale, job, expected) => {
    expect(isAutoscaled({ scale: { min: 0, cooldownMs: 0, ...scale }, job })).toBe(expected);
  });
});
