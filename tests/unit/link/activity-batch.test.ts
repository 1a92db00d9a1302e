import { beforeEach, describe, expect, it } from 'vitest';
import { ActivityBatch } from '../../../src/link/activity-batch.ts';
import type { ActivityReport } from '../../../src/seam/control-link.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('ActivityBatch', () => {
  let clock: FakeClock;
  let sent: ActivityReport[][];
  let batch: ActivityBatch;
  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    batch = new ActivityBatch(clock, (reports) => sent.push([...reports]));
  });

  const report = (inFlight: number, instanceId = 'web-1'): ActivityReport => {
    return { service: 'web', instanceId, inFlight, seenVersion: 1 };
  };

  it('sends many reports as the last of each instance', () => {
    for (const inFlight of [1, 2, 3]) batch.add(report(inFlight));
    batch.add(report(1, 'web-2'));
    expect(sent).toEqual([]);
    clock.advance(50);
    expect(sent).toEqual([[report(3), report(1, 'web-2')]]);
    clock.advance(1_000);
    expect(sent).toHaveLength(1);
  });

  it('still tells of a request that came and went in between', () => {
    batch.add(report(1));
    batch.add(report(0));
    batch.add(report(0));
    batch.flush();
    expect(sent).toEqual([[report(1), report(0)]]);
    clock.advance(1_000);
    expect(sent).toHaveLength(1);
  });

  it('sends nothing when there is nothing, or when it is of no use any more', () => {
    batch.flush();
    batch.add(report(1));
    batch.clear();
    clock.advance(1_000);
    expect(sent).toEqual([]);
    expect(clock.pendingCount).toBe(0);
  });
});
