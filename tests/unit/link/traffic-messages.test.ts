import { describe, expect, it } from 'vitest';
import { parseUp } from '../../../src/link/messages.ts';
import { MAX_COUNTS, type RequestCount, type TrafficReport } from '../../../src/seam/traffic-report.ts';
import { requestCount, trafficReport } from '../../support/samples/traffic-report.ts';

const message = (report: unknown) => ({ type: 'traffic', source: 'a', id: 1, report });
const withCount = (changes: object): TrafficReport =>
  trafficReport(1, { requests: [{ ...requestCount(), ...changes }] });

describe('a message about traffic', () => {
  it('is taken as it was sent', () => {
    const sent = message(trafficReport(3, { incidents: [{ service: 'web', incident: 'retry', count: 2 }] }));
    expect(parseUp(JSON.parse(JSON.stringify(sent)))).toEqual(sent);
  });

  it.each<[string, unknown]>([
    ['a method that is none of ours', withCount({ method: 'PROPFIND' })],
    ['a status that there is not', withCount({ status: 999 })],
    ['half a request', withCount({ count: 1.5 })],
    ['fewer requests than none', withCount({ count: -1 })],
    ['a time before it began', withCount({ seconds: -1 })],
    ['no time at all', withCount({ seconds: Infinity })],
    ['too few buckets', withCount({ buckets: [1] })],
    ['more durations than requests', withCount({ buckets: requestCount().buckets.map(() => 1) })],
    ['a name without an end', withCount({ service: 'w'.repeat(1_000) })],
    ['a name that is none', withCount({ service: {} })],
    ['a field more', withCount({ label: 'x' })],
    [
      'an incident that there is not',
      trafficReport(1, { incidents: [{ service: '', incident: 'x' as 'retry', count: 1 }] }),
    ],
    ['more than fits', trafficReport(1, { requests: Array<RequestCount>(MAX_COUNTS + 1).fill(requestCount()) })],
  ])('is not understood with %s', (_, report) => {
    expect(parseUp(message(report))).toBeUndefined();
  });

  it('stays far below what ends a connection', () => {
    const large = requestCount({ service: 's'.repeat(40), method: 'OPTIONS', count: 1e9, seconds: 1 / 3 });
    const wide = { ...large, buckets: large.buckets.map(() => 60_000_000) };
    const text = JSON.stringify(message(trafficReport(1, { requests: Array<RequestCount>(MAX_COUNTS).fill(wide) })));
    expect(parseUp(JSON.parse(text))).toBeDefined();
    expect(text.length).toBeLessThan(1024 * 1024);
  });
});
