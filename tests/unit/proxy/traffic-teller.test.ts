import { describe, expect, it } from 'vitest';
import { deferred, type Deferred } from '../../../src/lib/deferred.ts';
import { TrafficTally } from '../../../src/proxy/traffic-tally.ts';
import { TrafficTeller } from '../../../src/proxy/traffic-teller.ts';
import { MAX_COUNTS, type TrafficReport } from '../../../src/seam/traffic-report.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

class SlowLink {
  readonly reports: TrafficReport[] = [];
  readonly open: Deferred<undefined>[] = [];

  reportTraffic(report: TrafficReport): Promise<void> {
    this.reports.push(report);
    const counted = deferred<undefined>();
    this.open.push(counted);
    return counted.promise;
  }

  countAll(): void {
    for (const counted of this.open.splice(0)) counted.resolve(undefined);
  }

  get told(): number {
    return this.reports.flatMap(({ requests }) => requests).reduce((sum, { count }) => sum + count, 0);
  }
}

describe('telling the traffic', () => {
  function begin(): { clock: FakeClock; link: SlowLink; tally: TrafficTally; teller: TrafficTeller } {
    const [clock, link, tally] = [new FakeClock(), new SlowLink(), new TrafficTally()];
    const teller = new TrafficTeller(tally, clock, link);
    teller.start();
    return { clock, link, tally, teller };
  }

  it('happens once a second, and says how late the loop was', async () => {
    const { clock, link, tally } = begin();
    tally.countRefused('GET', 400);
    await clock.advanceAsync(1_000);
    link.countAll();
    expect([link.told, link.reports[0]?.lagSeconds]).toEqual([1, 0]);
    clock.freeze(1_250);
    await clock.advanceAsync(0);
    expect(link.reports[1]?.lagSeconds).toBe(0.25);
  });

  it('waits until the last report was counted, and loses nothing meanwhile', async () => {
    const { clock, link, tally } = begin();
    tally.countRefused('GET', 400);
    await clock.advanceAsync(1_000);
    tally.countRefused('GET', 400);
    await clock.advanceAsync(5_000);
    expect(link.reports).toHaveLength(1);
    tally.countRefused('GET', 400);
    link.countAll();
    await clock.advanceAsync(1_000);
    expect(link.told).toBe(3);
  });

  it('takes several reports for more than fits into one', async () => {
    const { clock, link, tally } = begin();
    for (let n = 0; n < MAX_COUNTS * 2 + 1; n += 1) tally.countRetry(`svc-${n}`, { code: '', stale: true });
    await clock.advanceAsync(1_000);
    expect(link.reports.map(({ incidents }) => incidents.length)).toEqual([MAX_COUNTS, MAX_COUNTS, 1]);
  });

  it('tells the rest at the end, whatever is open', async () => {
    const { clock, link, tally, teller } = begin();
    tally.countRefused('GET', 400);
    await clock.advanceAsync(1_000);
    tally.countRefused('GET', 400);
    teller.close();
    expect(link.told).toBe(2);
    expect(clock.pendingCount).toBe(0);
  });
});
