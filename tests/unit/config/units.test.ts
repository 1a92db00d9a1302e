import { describe, expect, it } from 'vitest';
import { parseDuration, parseSize, someDurationMs, someSizeBytes } from '../../../src/config/units.ts';

describe('a duration', () => {
  it.each([
    ['800ms', 800],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1.5s', 1500],
    ['0s', 0],
    ['0', 0],
    [0, 0],
  ])('%s is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(['30', 30, '', ' 30s', '30 s', '-1s', '1y', '1w', 's', 'soon', null, undefined, NaN, {}, ['30s']])(
    'is not %o',
    (value) => {
      expect(() => parseDuration(value)).toThrow("must be a duration with its unit, such as '800ms'");
    },
  );

  it('is not longer than a timer can wait', () => {
    expect(() => parseDuration('25d')).toThrow('at most');
    expect(parseDuration('24d')).toBeLessThan(2 ** 31);
  });

  it('must be longer than zero where that is asked', () => {
    expect(someDurationMs.safeParse('0s').error?.issues[0]?.message).toBe('must be longer than zero');
    expect(someDurationMs.parse('1ms')).toBe(1);
  });
});

describe('a size', () => {
  it.each([
    ['512m', 512 * 1024 ** 2],
    ['2g', 2 * 1024 ** 3],
    ['16k', 16_384],
    ['1.5G', 1.5 * 1024 ** 3],
    ['100b', 100],
    ['512mb', 512 * 1024 ** 2],
    ['512MiB', 512 * 1024 ** 2],
    ['1024', 1024],
    [1024, 1024],
    ['0', 0],
  ])('%s is %d bytes', (text, expected) => {
    expect(parseSize(text)).toBe(expected);
  });

  it.each(['', 'm', '-1m', '5x', '1 g', 'large', 1.5, -1, NaN, Infinity, null, {}, '999999999999999t'])(
    'is not %o',
    (value) => {
      expect(() => parseSize(value)).toThrow("must be a size such as '512m'");
    },
  );

  it('must be larger than zero where that is asked', () => {
    expect(someSizeBytes.safeParse('0').success).toBe(false);
  });
});
