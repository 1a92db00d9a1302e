import { describe, expect, it } from 'vitest';
import { SampleRing, type SampleValues } from '../../../../src/fleet/usage/sample-ring.ts';

function sample(atEpochMs: number, changes: Partial<SampleValues> = {}): SampleValues {
  return { atEpochMs, cpuRatio: 0.25, memoryBytes: 2 ** 40 + 1, memoryLimitBytes: 2 ** 41, inFlight: 3, ...changes };
}

describe('the ring of samples', () => {
  it('begins empty', () => {
    expect(new SampleRing(3).all()).toEqual([]);
  });

  it('gives what was added, the oldest first', () => {
    const ring = new SampleRing(3);
    const all = [sample(Date.UTC(2026, 10, 21)), sample(Date.UTC(2026, 10, 22))];
    for (const each of all) ring.add(each);
    expect(ring.all()).toEqual(all);
  });

  it('keeps apart what is not known and what is zero', () => {
    const ring = new SampleRing(3);
    ring.add(sample(1, { cpuRatio: null, memoryBytes: null }));
    ring.add(sample(2, { cpuRatio: 0, memoryBytes: 0 }));
    expect(ring.all()).toMatchObject([
      { cpuRatio: null, memoryBytes: null },
      { cpuRatio: 0, memoryBytes: 0 },
    ]);
  });

  it('forgets the oldest when it is full', () => {
    const ring = new SampleRing(3);
    for (let at = 1; at <= 7; at += 1) ring.add(sample(at));
    expect(ring.all().map(({ atEpochMs }) => atEpochMs)).toEqual([5, 6, 7]);
  });
});
