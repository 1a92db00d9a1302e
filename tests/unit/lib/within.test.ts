import { describe, expect, it } from 'vitest';
import { within } from '../../../src/lib/within.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { watch } from '../../support/watch.ts';

describe('within', () => {
  it('waits for the work, whether it succeeds or fails', async () => {
    const clock = new FakeClock();
    await within(clock, 1_000, Promise.resolve('done'));
    await within(clock, 1_000, Promise.reject(new Error('no')));
  });

  it('waits no longer than it may', async () => {
    const clock = new FakeClock();
    const waited = watch(within(clock, 1_000, new Promise(() => undefined)));
    await clock.advanceAsync(999);
    expect(waited.settled).toBe(false);
    await clock.advanceAsync(1);
    expect(waited.settled).toBe(true);
  });
});
