import { describe, expect, it } from 'vitest';
import { deferred } from '../../../src/lib/deferred.ts';
import { Lane } from '../../../src/lib/lane.ts';
import { settle } from '../../support/fakes/fake-clock.ts';

describe('Lane', () => {
  it('runs tasks one after the other, in the order they came', async () => {
    const lane = new Lane();
    const order: string[] = [];
    const first = deferred<string>();
    const one = lane.run(() => (order.push('one begins'), first.promise));
    const two = lane.run(() => (order.push('two begins'), Promise.resolve('two')));
    await settle();
    expect(order).toEqual(['one begins']);
    first.resolve('one');
    expect(await Promise.all([one, two])).toEqual(['one', 'two']);
    expect(order).toEqual(['one begins', 'two begins']);
  });

  it('tells a failure to whom it concerns and goes on', async () => {
    const lane = new Lane();
    const failing = lane.run(() => Promise.reject(new Error('no')));
    const next = lane.run(() => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });

  it('survives a task that throws before it returns a promise', async () => {
    const lane = new Lane();
    const failing = lane.run(() => {
      throw new Error('at once');
    });
    await expect(failing).rejects.toThrow('at once');
    expect(await lane.run(() => Promise.resolve(1))).toBe(1);
  });

  it('does not begin during the call', () => {
    let began = false;
    void new Lane().run(() => {
      began = true;
      return Promise.resolve();
    });
    expect(began).toBe(false);
  });
});
