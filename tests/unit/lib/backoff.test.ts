import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/lib/backoff.ts';

function delays(random: number, times: number): number[] {
  const backoff = new Backoff({ initialMs: 100, maxMs: 1_000, random: () => random });
  return Array.from({ length: times }, () => backoff.fail());
}

describe('Backoff', () => {
  it('doubles the delay up to the maximum', () => {
    expect(delays(1, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('makes half of each delay a matter of chance', () => {
    expect(delays(0, 4)).toEqual([50, 100, 200, 400]);
    expect(delays(0.5, 2)).toEqual([75, 150]);
  });

  it('stays at the maximum after any number of failures', () => {
    expect(delays(1, 2_000).at(-1)).toBe(1_000);
  });

  it('counts failures in a row and begins anew after a reset', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1_000, random: () => 1 });
    backoff.fail();
    backoff.fail();
    expect(backoff.failures).toBe(2);
    backoff.reset();
    expect(backoff.failures).toBe(0);
    expect(backoff.fail()).toBe(100);
  });

  it('stays within its bounds with real chance', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 100 });
    for (let n = 0; n < 200; n += 1) {
      const delay = backoff.fail();
      expect(delay).toBeGreaterThanOrEqual(50);
      expect(delay).toBeLessThan(100);
    }
  });
});
