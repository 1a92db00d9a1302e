import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/dispatch/circuit-breaker.ts';
import type { Verdict } from '../../../src/seam/control-link.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const LIMITS = { failures: 3, openForMs: 30_000 };

describe('CircuitBreaker', () => {
  let clock: FakeClock;
  const onChange = vi.fn<(open: boolean) => void>();
  const onVerdict = vi.fn<(verdict: Verdict) => void>();
  let breaker: CircuitBreaker;
  beforeEach(() => {
    clock = new FakeClock();
    onChange.mockClear();
    onVerdict.mockClear();
    breaker = new CircuitBreaker(clock, LIMITS, { onChange, onVerdict });
  });

  function send(outcome: 'succeed' | 'fail' | 'forget', times = 1): void {
    for (let n = 0; n < times; n += 1) {
      expect(breaker.available).toBe(true);
      breaker.begin();
      breaker[outcome]();
    }
  }

  it('stays closed below the limit of failures in a row', () => {
    send('fail', 2);
    expect(breaker.state).toBe('closed');
    expect(onChange).not.toHaveBeenCalled();
  });

  it('counts only failures in a row', () => {
    send('fail', 2);
    send('succeed');
    send('fail', 2);
    expect(breaker.state).toBe('closed');
    send('fail');
    expect(breaker.state).toBe('open');
  });

  it('does not count a request that tells nothing', () => {
    send('fail', 2);
    send('forget');
    expect(breaker.state).toBe('closed');
    send('fail');
    expect(breaker.state).toBe('open');
  });

  it('opens at the limit, says so once and says when to come back', () => {
    send('fail', 3);
    expect(breaker.available).toBe(false);
    expect(breaker.retryAfterMs).toBe(30_000);
    clock.advance(12_000);
    expect(breaker.retryAfterMs).toBe(18_000);
    expect(onChange.mock.calls).toEqual([[true]]);
  });

  it('learns nothing while open from what was sent before', () => {
    for (let n = 0; n < 5; n += 1) breaker.begin();
    breaker.fail();
    breaker.fail();
    breaker.fail();
    clock.advance(10_000);
    breaker.succeed();
    breaker.fail();
    expect(breaker.state).toBe('open');
    expect(breaker.retryAfterMs).toBe(20_000);
    expect(onChange.mock.calls).toEqual([[true]]);
  });

  it('lets one request through when its time is up, and no second one', () => {
    send('fail', 3);
    clock.advance(29_999);
    expect(breaker.available).toBe(false);
    clock.advance(1);
    expect(breaker.available).toBe(true);
    expect(breaker.available).toBe(true);
    breaker.begin();
    expect(breaker.state).toBe('half-open');
    expect(breaker.available).toBe(false);
  });

  it('closes when the probe succeeds, and begins to count anew', () => {
    send('fail', 3);
    clock.advance(30_000);
    send('succeed');
    expect(breaker.state).toBe('closed');
    send('fail', 2);
    expect(breaker.state).toBe('closed');
    expect(onChange.mock.calls).toEqual([[true], [false]]);
  });

  it('closes as soon as the probe is answered', () => {
    send('fail', 3);
    clock.advance(30_000);
    expect(breaker.available).toBe(true);
    breaker.begin();
    breaker.answered();
    expect(breaker.available).toBe(true);
    expect(onChange.mock.calls).toEqual([[true], [false]]);
  });

  it('does not forgive earlier failures for an answer that has only begun', () => {
    send('fail', 2);
    breaker.begin();
    breaker.answered();
    breaker.fail();
    expect(breaker.state).toBe('open');
  });

  it('opens again for the whole time when the probe fails, without saying so twice', () => {
    send('fail', 3);
    clock.advance(30_000);
    send('fail');
    expect(breaker.available).toBe(false);
    expect(breaker.retryAfterMs).toBe(30_000);
    expect(onChange.mock.calls).toEqual([[true]]);
  });

  it('sends another probe when the first told nothing', () => {
    send('fail', 3);
    clock.advance(30_000);
    send('forget');
    expect(breaker.state).toBe('half-open');
    send('succeed');
    expect(breaker.state).toBe('closed');
  });

  it('takes over other limits', () => {
    send('fail', 2);
    breaker.limits = { failures: 5, openForMs: 1_000 };
    send('fail', 3);
    expect(breaker.retryAfterMs).toBe(1_000);
  });

  describe('beside breakers of other proxy processes', () => {
    it('tells each failure, the success that ends a row of them, and the probe that was served', () => {
      send('succeed');
      send('fail', 2);
      send('succeed', 2);
      send('fail', 3);
      clock.advance(30_000);
      send('succeed');

      const told = onVerdict.mock.calls.map(([verdict]) => verdict);
      expect(told).toEqual(['failed', 'failed', 'served', 'failed', 'failed', 'failed', 'recovered']);
    });

    it('counts their failures as its own, and passes none of it on', () => {
      send('fail');
      breaker.learn('failed');
      expect(breaker.state).toBe('closed');
      breaker.learn('failed');
      expect(breaker.state).toBe('open');
      expect(onChange.mock.calls).toEqual([[true]]);
      expect(onVerdict).toHaveBeenCalledOnce();
    });

    it('begins a new row when one of them was served', () => {
      send('fail', 2);
      breaker.learn('served');
      send('fail', 2);
      expect(breaker.state).toBe('closed');
    });

    it('closes when the probe of another one was served, but not for a request that was sent before it opened', () => {
      send('fail', 3);
      breaker.learn('served');
      expect(breaker.state).toBe('open');
      breaker.learn('recovered');
      expect(breaker.state).toBe('closed');
      expect(onChange.mock.calls).toEqual([[true], [false]]);
    });
  });
});
