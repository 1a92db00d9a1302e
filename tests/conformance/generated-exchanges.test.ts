import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ConnectionOptions } from 'node:tls';
import { ReveilleFront } from './fronts/reveille-front.ts';
import { planOf, type ExchangePlan } from './generator/exchange-plan.ts';
import { Http1Lane } from './generator/http1-lane.ts';
import { Http2Lane } from './generator/http2-lane.ts';
import { deviation } from './generator/model.ts';
import { PlanUpstream } from './generator/plan-upstream.ts';
import { makeCertificate } from './rig/certificate.ts';
import type { OpenFront } from './rig/front.ts';

/** Both by environment: a failure names its seed and its case. */
const SEED = Number(process.env['CONFORMANCE_SEED'] ?? Math.floor(Math.random() * 1_000_000_000));
const CASES = Number(process.env['CONFORMANCE_CASES'] ?? 2_000);
const ONLY = process.env['CONFORMANCE_CASE'];
const HTTP1_LANES = 6;
const HTTP2_STREAMS = 12;
const SHOWN = 10;

let front: OpenFront | undefined;
let tls: ConnectionOptions;
let before: Record<string, number>;
const plans = new PlanUpstream();
const escaped: unknown[] = [];
const onEscaped = (error: unknown): void => void escaped.push(error);

/** What keeps the process busy, without the clockwork of the test runner itself. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TCP|TLS|HTTP|Timeout|Immediate|Write|Shutdown/i.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

beforeAll(async () => {
  const certificate = await makeCertificate();
  await plans.upstream.start();
  before = resources();
  front = await new ReveilleFront().open({ upstreamPort: plans.upstream.port, settings: {}, certificate });
  tls = { host: '127.0.0.1', port: front.port, ca: certificate.ca, servername: 'app.test' };
  process.on('uncaughtExceptionMonitor', onEscaped);
});
afterAll(async () => {
  await front?.close();
  if (front !== undefined) await plans.upstream.close();
  process.off('uncaughtExceptionMonitor', onEscaped);
});

/** Of what there is more than before. The timers of the waiting itself come and go with each look. */
function excess(now: Record<string, number>, then: Record<string, number>): Record<string, number> {
  const more = Object.entries(now).filter(([kind, count]) => count > (then[kind] ?? 0) + (kind === 'Timeout' ? 2 : 0));
  return Object.fromEntries(more);
}

async function runAll(all: readonly ExchangePlan[]): Promise<string[]> {
  const deviations: string[] = [];
  const waiting = { 1: all.filter(({ http }) => http === 1), 2: all.filter(({ http }) => http === 2) };
  const work = async (lane: Http1Lane | Http2Lane, http: 1 | 2): Promise<void> => {
    for (let plan = waiting[http].shift(); plan !== undefined; plan = waiting[http].shift()) {
      plans.expect(plan);
      const saw = await lane.run(plan);
      const found = deviation(plan, saw, plans.take(plan.index));
      if (found !== undefined) deviations.push(`case ${plan.index}: ${found}`);
    }
  };
  const http1 = Array.from({ length: HTTP1_LANES }, () => new Http1Lane(tls));
  const http2 = new Http2Lane(tls);
  await Promise.all([
    ...http1.map((lane) => work(lane, 1)),
    ...Array.from({ length: HTTP2_STREAMS }, () => work(http2, 2)),
  ]);
  for (const lane of [...http1, http2]) lane.close();
  return deviations;
}

describe(`${CASES} generated exchanges (CONFORMANCE_SEED=${SEED})`, () => {
  it(
    'reach the upstream and the client as a plain model says, and leave nothing behind',
    { timeout: 600_000 },
    async () => {
      const indices = ONLY === undefined ? Array.from({ length: CASES }, (_, index) => index) : [Number(ONLY)];
      const deviations = await runAll(indices.map((index) => planOf(SEED, index)));
      expect(deviations.slice(0, SHOWN), `${deviations.length} deviations; CONFORMANCE_SEED=${SEED}`).toEqual([]);
      expect(plans.strangers).toEqual([]);
      expect(plans.upstream.faults).toEqual([]);
      expect(escaped).toEqual([]);
      await vi.waitUntil(() => plans.upstream.open === 0, { timeout: 20_000 });
      await front?.close();
      front = undefined;
      // Its own halves of connections that the front has left.
      await plans.upstream.close();
      await vi.waitFor(() => expect(excess(resources(), before)).toEqual({}), { timeout: 20_000, interval: 100 });
    },
  );
});
