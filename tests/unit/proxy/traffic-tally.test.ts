import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/proxy/answers/error-table.ts';
import { TrafficTally } from '../../../src/proxy/traffic-tally.ts';
import { Visit } from '../../../src/proxy/visit.ts';
import { DURATION_BOUNDS_SECONDS, SHED_REASONS, UPSTREAM_ERRORS } from '../../../src/seam/traffic-report.ts';
import { RecordedExchange } from '../../support/fakes/recorded-exchange.ts';

interface Ended {
  readonly method?: string;
  readonly service?: string;
  readonly status?: number;
  readonly code?: string;
  readonly afterMs?: number;
}

function end(tally: TrafficTally, { method = 'GET', service, status = 200, code, afterMs = 0 }: Ended): void {
  const visit = new Visit(new RecordedExchange({ method }), 1_000);
  Object.assign(visit, { service, status, code });
  tally.count(visit, 1_000 + afterMs);
}

describe('the tally of requests', () => {
  it('counts by service, method and status, with the duration in its bucket', () => {
    const tally = new TrafficTally();
    end(tally, { service: 'web', afterMs: 1 });
    end(tally, { service: 'web', afterMs: 1.5 });
    end(tally, { service: 'web', afterMs: 60_000 });
    end(tally, { service: 'web', method: 'POST', status: 503 });
    end(tally, { service: 'api' });
    const { requests, incidents } = tally.take();
    expect(requests.map(({ service, method, status, count }) => [service, method, status, count])).toEqual([
      ['web', 'GET', 200, 3],
      ['web', 'POST', 503, 1],
      ['api', 'GET', 200, 1],
    ]);
    expect(requests[0]?.buckets).toEqual([1, 1, ...Array<number>(DURATION_BOUNDS_SECONDS.length - 2).fill(0), 1]);
    expect(requests[0]?.seconds).toBeCloseTo(60.0025);
    expect(incidents).toEqual([]);
  });

  it('has nothing left once it was taken, and goes on from there', () => {
    const tally = new TrafficTally();
    end(tally, { service: 'web' });
    tally.take();
    expect(tally.take()).toEqual({ requests: [], incidents: [] });
    end(tally, { service: 'web' });
    expect(tally.take().requests[0]?.count).toBe(1);
  });

  it('has no duration of what was refused before anybody looked at it', () => {
    const tally = new TrafficTally();
    tally.countRefused('GET', 400);
    const [refused] = tally.take().requests;
    expect([refused?.count, refused?.seconds, Math.max(...(refused?.buckets ?? []))]).toEqual([1, 0, 0]);
  });

  it('gives a client that left before the answer 499, and what nobody owns no service', () => {
    const tally = new TrafficTally();
    end(tally, { service: 'web', status: 0, code: 'client_left' });
    end(tally, { status: 404 });
    tally.countRefused('GET', 400);
    const kinds = tally.take().requests.map(({ service, status }) => [service, status]);
    expect(kinds).toEqual([
      ['web', 499],
      ['', 404],
      ['', 400],
    ]);
  });

  it('stays bounded whatever clients and upstreams make up', () => {
    const tally = new TrafficTally();
    for (let n = 0; n < 10_000; n += 1) end(tally, { service: 'web', method: `M${n}"\n`, status: n });
    const { requests } = tally.take();
    expect(new Set(requests.map(({ method }) => method))).toEqual(new Set(['other']));
    // 100 to 599, and one for all others; 0 is 499.
    expect(requests).toHaveLength(501);
    expect(requests.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
  });

  it('counts what was sent away, what failed and what was tried again', () => {
    const tally = new TrafficTally();
    end(tally, { service: 'web', status: 503, code: 'waiting_room_full' });
    tally.countRetry('web', { code: 'upstream_refused', stale: false });
    tally.countRetry('web', { code: 'upstream_reset', stale: true });
    end(tally, { service: 'web', status: 502, code: 'upstream_refused' });
    end(tally, { service: 'web', status: 413, code: 'body_too_large' });
    expect(tally.take().incidents).toEqual([
      { service: 'web', incident: 'waiting_room_full', count: 1 },
      { service: 'web', incident: 'retry', count: 2 },
      { service: 'web', incident: 'upstream_refused', count: 2 },
    ]);
  });

  it('knows incidents by the codes of the table of answers', () => {
    const codes = new Set<string>([...ERROR_CODES, 'upstream_aborted']);
    expect([...SHED_REASONS, ...UPSTREAM_ERRORS].filter((code) => !codes.has(code))).toEqual([]);
  });
});
