import { describe, expect, it } from 'vitest';
import { ActivityBoard } from '../../../../src/fleet/activity-board.ts';
import { waitUntilDrained } from '../../../../src/fleet/instance/drain.ts';
import { FakeClock, settle } from '../../../support/fakes/fake-clock.ts';
import { watch, type Watched } from '../../../support/watch.ts';

interface Drain {
  readonly clock: FakeClock;
  readonly cancel: AbortController;
  readonly drained: Watched<boolean>;
  readonly report: (inFlight: number, seenVersion: number, instanceId?: string) => Promise<void>;
}

function drain(inFlight: number, seenVersion: number): Drain {
  const clock = new FakeClock();
  const activity = new ActivityBoard(clock);
  const cancel = new AbortController();
  const report: Drain['report'] = (busy, version, instanceId = 'web-1') => {
    activity.record('one', [{ service: 'web', instanceId, inFlight: busy, seenVersion: version }]);
    return settle();
  };
  void report(inFlight, seenVersion);
  const options = { service: 'web', instanceId: 'web-1', version: 7, timeoutMs: 1_000, signal: cancel.signal };
  return { clock, cancel, drained: watch(waitUntilDrained(activity, clock, options)), report };
}

describe('a drain', () => {
  it('is over at once when the data half has nothing in flight and knows that it is no longer offered', async () => {
    const { drained, clock } = drain(0, 7);
    await settle();
    expect(drained.value).toBe(true);
    expect(clock.pendingCount).toBe(0);
  });

  it('does not believe a count that is older than the drain', async () => {
    const { drained, report } = drain(0, 6);
    await settle();
    expect(drained.settled).toBe(false);
    await report(1, 7);
    expect(drained.settled).toBe(false);
    await report(0, 8);
    expect(drained.value).toBe(true);
  });

  it('waits for what is in flight on this instance, not on others', async () => {
    const { drained, report, clock } = drain(2, 7);
    await report(0, 7, 'web-2');
    await report(1, 7);
    expect(drained.settled).toBe(false);
    await report(0, 7);
    expect(drained.value).toBe(true);
    expect(clock.pendingCount).toBe(0);
  });

  it('ends at its time, and tells that it did not drain', async () => {
    const { drained, clock } = drain(1, 7);
    await clock.advanceAsync(999);
    expect(drained.settled).toBe(false);
    await clock.advanceAsync(1);
    expect(drained.value).toBe(false);
  });

  it('ends when it is taken back', async () => {
    const { drained, cancel, clock } = drain(1, 7);
    cancel.abort();
    await settle();
    expect(drained.value).toBe(false);
    expect(clock.pendingCount).toBe(0);
  });

  it('of an instance that never had a request is over at once', async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    const options = { service: 'web', instanceId: 'web-1', version: 7, timeoutMs: 1_000, signal };
    await expect(waitUntilDrained(new ActivityBoard(clock), clock, options)).resolves.toBe(true);
  });

  it('that was taken back before it began has not drained', async () => {
    const clock = new FakeClock();
    const signal = AbortSignal.abort();
    const options = { service: 'web', instanceId: 'web-1', version: 7, timeoutMs: 1_000, signal };
    await expect(waitUntilDrained(new ActivityBoard(clock), clock, options)).resolves.toBe(false);
  });
});
