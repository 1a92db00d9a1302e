import { describe, expect, it, vi } from 'vitest';
import { deferred } from '../../../src/lib/deferred.ts';
import { SingleFlight } from '../../../src/lib/single-flight.ts';

describe('SingleFlight', () => {
  it('shares the outcome of one run among all who ask meanwhile', async () => {
    const flight = new SingleFlight<number>();
    const running = deferred<number>();
    const task = vi.fn(() => running.promise);
    const asked = [flight.run(task), flight.run(task), flight.run(task)];
    expect(task).toHaveBeenCalledTimes(1);
    expect(flight.busy).toBe(true);
    running.resolve(7);
    expect(await Promise.all(asked)).toEqual([7, 7, 7]);
  });

  it('starts anew once it has settled', async () => {
    const flight = new SingleFlight<number>();
    expect(await flight.run(() => Promise.resolve(1))).toBe(1);
    expect(flight.busy).toBe(false);
    expect(await flight.run(() => Promise.resolve(2))).toBe(2);
  });

  it('shares a failure, and is free for the next try', async () => {
    const flight = new SingleFlight<number>();
    const running = deferred<number>();
    const asked = [flight.run(() => running.promise), flight.run(() => running.promise)];
    running.reject(new Error('no'));
    for (const each of asked) await expect(each).rejects.toThrow('no');
    expect(flight.busy).toBe(false);
    expect(await flight.run(() => Promise.resolve(3))).toBe(3);
  });
});
