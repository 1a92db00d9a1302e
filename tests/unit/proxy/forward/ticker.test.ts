import { describe, expect, it } from 'vitest';
import { Ticker } from '../../../../src/proxy/forward/ticker.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';

function setUp() {
  const clock = new FakeClock();
  const ticker = new Ticker(clock, 100);
  const ticks: number[] = [];
  const ticking = { tick: (nowMs: number) => void ticks.push(nowMs) };
  return { clock, ticker, ticks, ticking };
}

describe('Ticker', () => {
  it('tells the time to whoever is added, until it is deleted', () => {
    const { clock, ticker, ticks, ticking } = setUp();
    clock.advance(50);
    ticker.add(ticking);
    clock.advance(250);
    expect(ticks).toEqual([150, 250]);
    ticker.delete(ticking);
    clock.advance(500);
    expect(ticks).toEqual([150, 250]);
  });

  it('has no timer while nobody waits', () => {
    const { clock, ticker, ticking } = setUp();
    expect(clock.pendingCount).toBe(0);
    ticker.add(ticking);
    ticker.delete(ticking);
    clock.advance(100);
    expect(clock.pendingCount).toBe(0);
  });

  it('gives deadlines that are never too early, and at most two intervals late', () => {
    const { clock, ticker, ticking } = setUp();
    ticker.add(ticking);
    clock.advance(199);
    const deadline = ticker.deadline(1_000);
    expect(deadline).toBeGreaterThanOrEqual(199 + 1_000);
    expect(deadline).toBeLessThanOrEqual(199 + 1_000 + 100);
  });

  it('judges nobody at a tick that comes late, because what had come in time is not read yet', () => {
    let nowMs = 0;
    let due: (() => void) | undefined;
    const clock = {
      now: () => nowMs,
      epochMs: () => nowMs,
      after: (_delayMs: number, action: () => void) => {
        due = action;
        return { cancel: () => undefined };
      },
    };
    const ticker = new Ticker(clock, 100);
    const ticks: number[] = [];
    ticker.add({ tick: (at) => void ticks.push(at) });
    nowMs = 5_000;
    due?.();
    expect(ticks).toEqual([]);
    nowMs = 5_100;
    due?.();
    expect(ticks).toEqual([5_100]);
  });

  it('is silent once closed', () => {
    const { clock, ticker, ticks, ticking } = setUp();
    ticker.add(ticking);
    ticker.close();
    clock.advance(1_000);
    expect(ticks).toEqual([]);
  });
});
