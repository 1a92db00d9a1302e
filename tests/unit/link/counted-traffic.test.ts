import { describe, expect, it } from 'vitest';
import { CountedTraffic } from '../../../src/link/counted-traffic.ts';

describe('traffic that was counted', () => {
  it('is not counted again, whoever else tells something', () => {
    const counted = new CountedTraffic();
    const news = [counted.isNew('a', 1), counted.isNew('b', 1), counted.isNew('a', 1), counted.isNew('a', 2)];
    expect(news).toEqual([true, true, false, true]);
    expect(counted.isNew('a', 1)).toBe(false);
  });

  it('remembers those who spoke last, not all there ever were', () => {
    const counted = new CountedTraffic();
    counted.isNew('first', 1);
    counted.isNew('busy', 1);
    for (let n = 0; n < 3_999; n += 1) counted.isNew(`other-${n}`, 1);
    expect([counted.isNew('busy', 1), counted.isNew('first', 1)]).toEqual([false, true]);
  });
});
