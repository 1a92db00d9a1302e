import { describe, expect, it } from 'vitest';
import { CALM, judge, levelOf, type AlarmLevel } from '../../../../src/fleet/usage/usage-alarm.ts';

const rule = { thresholds: { warn: 60, panic: 80 }, forMs: 3_000 };

/** The level after each reading, a second apart. */
function levels(readings: readonly (number | null)[], { thresholds, forMs } = rule): AlarmLevel[] {
  let state = CALM;
  return readings.map((percent, n) => {
    state = judge(state, percent, n * 1_000, { thresholds, forMs });
    return levelOf(state);
  });
}

const [c, w, p] = ['calm', 'warn', 'panic'] as const;

describe('an alarm', () => {
  it.each<[string, (number | null)[], AlarmLevel[]]>([
    ['stays calm below warn', [59, 59, 59, 59, 59], [c, c, c, c, c]],
    ['warns when warn was held for the time', [60, 60, 60, 60, 60], [c, c, c, w, w]],
    ['does not count what did not last', [70, 70, 70, 50, 70, 70, 70, 70], [c, c, c, c, c, c, c, w]],
    ['goes from warn to panic', [70, 70, 70, 70, 90, 90, 90, 90], [c, c, c, w, w, w, w, p]],
    ['panics at once where panic was held from the beginning', [99, 99, 99, 99], [c, c, c, p]],
    ['has held warn while it swings between warn and panic', [65, 95, 65, 95], [c, c, c, w]],
    ['recovers when it was below for the time', [70, 70, 70, 70, 10, 10, 10, 10], [c, c, c, w, w, w, w, c]],
    ['goes from panic to calm in one step', [90, 90, 90, 90, 0, 0, 0, 0], [c, c, c, p, p, p, p, c]],
    ['goes from panic to warn', [90, 90, 90, 90, 70, 70, 70, 70], [c, c, c, p, p, p, p, w]],
    ['does not recover just below warn', [61, 61, 61, 61, 58, 56, 58, 55, 58], [c, c, c, w, w, w, w, w, w]],
    ['does not leave panic just below panic', [81, 81, 81, 81, 76, 76, 76, 76, 76], [c, c, c, p, p, p, p, p, p]],
    ['stays while the load comes back now and then', [70, 70, 70, 70, 0, 0, 70, 0, 0], [c, c, c, w, w, w, w, w, w]],
    ['takes what is not known for neither', [70, 70, 70, null, 70, 70, 70, 70], [c, c, c, c, c, c, c, w]],
    ['keeps its level while nothing is known', [70, 70, 70, 70, null, null, null, null], [c, c, c, w, w, w, w, w]],
  ])('%s', (_name, readings, expected) => {
    expect(levels(readings)).toEqual(expected);
  });

  it('rings at the first reading where nothing needs to be held', () => {
    expect(levels([61, 81, 1], { ...rule, forMs: 0 })).toEqual([w, p, c]);
  });

  it('can recover from the lowest thresholds', () => {
    expect(levels([2, 0.5], { thresholds: { warn: 1, panic: 2 }, forMs: 0 })).toEqual([p, c]);
  });
});
