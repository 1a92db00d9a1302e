import { describe, expect, it } from 'vitest';
import { SystemClock, sleep, type Clock } from '../../src/lib/clock.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

interface ClockHarness {
  readonly clock: Clock;
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>;
}

const harnesses: Record<string, () => ClockHarness> = {
  'the clock of the system': () => ({
    clock: new SystemClock(),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }),
  'the fake of the unit tests': () => {
    const clock = new FakeClock();
    return { clock, pass: (ms) => clock.advanceAsync(ms) };
  },
};

for (const [name, open] of Object.entries(harnesses)) {
  describe(`the clock contract: ${name}`, () => {
    it('moves on, and both its times by the same', async () => {
      const { clock, pass } = open();
      const [nowMs, epochMs] = [clock.now(), clock.epochMs()];
      await pass(30);
      expect(clock.now() - nowMs).toBeGreaterThanOrEqual(29);
      expect(clock.epochMs() - epochMs - (clock.now() - nowMs)).toBeCloseTo(0, -2);
    });

    it('calls once, when it is time and not before', async () => {
      const { clock, pass } = open();
      let calls = 0;
      const startMs = clock.now();
      let calledAtMs = 0;
      clock.after(20, () => {
        calls += 1;
        calledAtMs = clock.now();
      });
      expect(calls).toBe(0);
      await pass(100);
      expect(calls).toBe(1);
      // The timers of the system round to a millisecond.
      expect(calledAtMs - startMs).toBeGreaterThanOrEqual(19);
    });

    it('calls in the order of time', async () => {
      const { clock, pass } = open();
      const order: string[] = [];
      clock.after(40, () => order.push('late'));
      clock.after(0, () => order.push('at once'));
      clock.after(10, () => clock.after(10, () => order.push('after another')));
      await pass(150);
      expect(order).toEqual(['at once', 'after another', 'late']);
    });

    it('does not call what was taken back', async () => {
      const { clock, pass } = open();
      let called = false;
      const timer = clock.after(10, () => (called = true));
      timer.cancel();
      timer.cancel();
      await pass(50);
      expect(called).toBe(false);
    });

    it('ends a sleep when its time is over, or at once with the signal', async () => {
      const { clock, pass } = open();
      let awake = 0;
      const ending = new AbortController();
      void sleep(clock, 20).then(() => (awake += 1));
      void sleep(clock, 60_000, ending.signal).then(() => (awake += 10));
      await pass(50);
      expect(awake).toBe(1);
      ending.abort();
      await pass(0);
      expect(awake).toBe(11);
    });
  });
}
