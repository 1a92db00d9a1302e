import { describe, expect, it } from 'vitest';
import { CrashLoop } from '../../../../src/fleet/service/crash-loop.ts';
import { RuntimeError, RuntimeUnavailable, type FailureCode } from '../../../../src/fleet/errors.ts';
import { FailureHistory } from '../../../../src/fleet/service/failure-history.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';

const CRASHED = new RuntimeError('instance_exited', 'web ended with exit code 1', { logTail: ['boom'] });
const EXIT = { code: 1, oomKilled: false };

function history(): { clock: FakeClock; web: FailureHistory; fail: (times: number) => void } {
  const clock = new FakeClock();
  const web = new FailureHistory('web', clock);
  const fail = (times: number): void => {
    for (let n = 0; n < times; n += 1) web.failed(CRASHED);
  };
  return { clock, web, fail };
}

describe('a crash loop', () => {
  it('allows three tries at once, then pauses ever longer, up to five minutes', () => {
    const clock = new FakeClock();
    const loop = new CrashLoop(clock);
    const pauses = Array.from({ length: 12 }, () => {
      loop.fail();
      return loop.pauseMs;
    });
    expect(pauses.slice(0, 2)).toEqual([0, 0]);
    for (const [n, pauseMs] of pauses.slice(2).entries()) {
      const ceilingMs = Math.min(300_000, 5_000 * 2 ** n);
      expect(pauseMs).toBeGreaterThanOrEqual(ceilingMs / 2);
      expect(pauseMs).toBeLessThanOrEqual(ceilingMs);
    }
  });

  it('ends its pause with time, and itself with a reset', () => {
    const clock = new FakeClock();
    const loop = new CrashLoop(clock);
    for (let n = 0; n < 3; n += 1) loop.fail();
    clock.advance(5_000);
    expect([loop.pauseMs, loop.failures]).toEqual([0, 3]);
    loop.fail();
    expect(loop.pauseMs).toBeGreaterThan(0);
    loop.reset();
    expect([loop.pauseMs, loop.failures]).toEqual([0, 0]);
  });
});

describe('the failures of a service', () => {
  it.each<FailureCode>(['runtime_unavailable', 'dependency_failed', 'start_cancelled', 'shutting_down'])(
    'do not count when they are not its own: %s',
    (code) => {
      const { web } = history();
      for (let n = 0; n < 10; n += 1) web.failed(new RuntimeError(code, 'not now'));
      expect(web.pausing()).toBeUndefined();
    },
  );

  it('are explained by the latest, but not by one that was called off', () => {
    const { web, clock } = history();
    web.failed(CRASHED);
    expect(web.latest).toEqual({
      code: 'instance_exited',
      detail: CRASHED.message,
      logTail: ['boom'],
      atEpochMs: clock.epochMs(),
    });
    web.failed(new RuntimeError('start_cancelled', 'put to sleep'));
    expect(web.latest?.code).toBe('instance_exited');
    web.failed(new RuntimeUnavailable('no engine'));
    expect(web.latest?.code).toBe('runtime_unavailable');
  });

  it('make those wait who come during the pause, with the reason and the time to come back', () => {
    const { web, clock, fail } = history();
    fail(2);
    expect(web.pausing()).toBeUndefined();
    fail(1);
    const { failure } = web.pausing()!;
    expect(failure).toMatchObject({ code: 'crash_loop', logTail: ['boom'] });
    expect(failure.detail).toMatch(
      /^web failed 3 times in a row and is tried again in [345] s\. The last time: web ended with exit code 1$/,
    );
    clock.advance(failure.retryAtEpochMs! - clock.epochMs());
    expect(web.pausing()).toBeUndefined();
  });

  it('are forgotten once it has served for ten seconds, not before', () => {
    const { web, clock, fail } = history();
    fail(2);
    web.served();
    expect(web.latest).toBeUndefined();
    clock.advance(9_999);
    fail(1);
    expect(web.pausing()).toBeDefined();
    clock.advance(300_000);
    web.served();
    clock.advance(10_000);
    fail(2);
    expect(web.pausing()).toBeUndefined();
  });

  it('are not forgotten because of an earlier life', () => {
    const { web, clock, fail } = history();
    fail(1);
    for (let lives = 0; lives < 2; lives += 1) {
      web.served();
      clock.advance(6_000);
      web.died('web-1', EXIT, 6_000);
    }
    expect(web.pausing()).toBeDefined();
  });

  it('start anew with a death after a long life', () => {
    const { web, fail } = history();
    fail(2);
    web.died('web-1', EXIT, 10_000);
    fail(2);
    expect(web.pausing()).toBeUndefined();
  });

  it('include an end that came soon, even a good one, but it explains nothing', () => {
    const { web } = history();
    for (let n = 0; n < 3; n += 1) expect(web.died('web-1', { code: 0, oomKilled: false }, 500)).toBeUndefined();
    expect(web.latest).toBeUndefined();
    expect(web.pausing()?.failure.detail).toContain('it ended soon after it started');
  });

  it('are told from each other: out of memory or ended by itself', () => {
    const { web } = history();
    expect(web.died('web-1', { code: 137, oomKilled: true }, 20_000)).toMatchObject({ code: 'out_of_memory' });
    expect(web.died('web-1', { code: 0, oomKilled: true }, 20_000)).toMatchObject({ code: 'out_of_memory' });
    const died = web.died('web-1', { code: 137, oomKilled: false }, 20_000);
    expect(died).toMatchObject({
      code: 'instance_exited',
      detail: 'web-1 ended by itself with exit code 137; see its log',
    });
  });

  it('take what was written last only for the failure that it belongs to', () => {
    const { web } = history();
    const died = web.died('web-1', EXIT, 500)!;
    expect(web.explain(died, ['bye'])).toEqual({ ...died, logTail: ['bye'] });
    expect(web.latest?.logTail).toEqual(['bye']);
    const again = web.died('web-1', EXIT, 500)!;
    web.served();
    expect(web.explain(again, ['late'])).toBeUndefined();
    expect(web.latest).toBeUndefined();
  });

  it('space out the tries that nobody asked for, also when they are not its own', () => {
    const { web } = history();
    const delays = Array.from({ length: 12 }, () => {
      web.failed(new RuntimeUnavailable('no engine'));
      return web.nextHealMs();
    });
    expect(delays[0]).toBeLessThanOrEqual(200);
    expect(delays.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(60_000);
    web.forget();
    expect(web.nextHealMs()).toBeLessThanOrEqual(200);
  });

  it('hold back such tries at least as long as everybody else', () => {
    const { web, fail } = history();
    fail(6);
    expect(web.nextHealMs()).toBeGreaterThanOrEqual(20_000);
  });
});
