import type { FrontAddress } from './front-address.ts';
import { callHttp2 } from './clients/call-http2.ts';
import { exchangeHttp2 } from './clients/exchange-http2.ts';
import { Http1Lane } from './clients/http1-lane.ts';
import { Http2Lane } from './clients/http2-lane.ts';
import { openTunnel } from './clients/tunnel-client.ts';
import { callDeviation } from './model/call-deviation.ts';
import { clientFault, exchangeDeviation } from './model/exchange-deviation.ts';
import { tunnelDeviation } from './model/tunnel-deviation.ts';
import type { CallPlan } from './plan/call-plan.ts';
import type { ExchangePlan } from './plan/exchange-plan.ts';
import type { Plan } from './plan/plan-of.ts';
import type { TunnelPlan } from './plan/tunnel-plan.ts';
import type { CaseBook, CaseRecord } from './upstreams/case-book.ts';

const HTTP1_LANES = 6;
const HTTP2_STREAMS = 12;
const TUNNELS = 3;
/** Requests at once on one HTTP/1.1 connection. */
const PIPELINE = 4;

type Pipeline = [ExchangePlan, ...ExchangePlan[]];

/** Runs all plans, many at once, and says what was not as planned. */
export async function runPlans(plans: readonly Plan[], book: CaseBook, tls: FrontAddress): Promise<string[]> {
  const deviations: string[] = [];
  const judge = ({ index }: Plan, found: string | undefined): void => {
    if (found !== undefined) deviations.push(`case ${index}: ${found}`);
  };
  const windows = { narrow: new Http2Lane(tls, 'narrow'), wide: new Http2Lane(tls, 'wide') };
  const lanes = Array.from({ length: HTTP1_LANES }, () => new Http1Lane(tls));
  const pipelines = pipelinesOf(plans);
  const streams = plans.filter((plan): plan is ExchangePlan | CallPlan => usesStream(plan));
  const tunnels = plans.filter((plan): plan is TunnelPlan => plan.kind === 'tunnel');
  await Promise.all([
    ...lanes.map((lane) => takeTurns(pipelines, (some) => runPipeline(some, lane, book, judge))),
    ...workers(HTTP2_STREAMS, streams, async (plan) => judge(plan, await runStream(plan, windows, book))),
    ...workers(TUNNELS, tunnels, async (plan) => judge(plan, await runTunnel(plan, tls, book))),
  ]);
  for (const lane of [...lanes, ...Object.values(windows)]) lane.close();
  return deviations;
}

async function runPipeline(
  plans: Pipeline,
  lane: Http1Lane,
  book: CaseBook,
  judge: (plan: Plan, found: string | undefined) => void,
): Promise<void> {
  const records = plans.map((plan) => book.open(plan));
  const seen = await lane.run(plans);
  for (const [at, plan] of plans.entries()) judge(plan, exchangeDeviation(plan, seen[at]!, records[at]!));
}

async function runStream(
  plan: ExchangePlan | CallPlan,
  windows: Record<'narrow' | 'wide', Http2Lane>,
  book: CaseBook,
): Promise<string | undefined> {
  const record = book.open(plan);
  if (plan.kind === 'exchange') {
    const session = await windows[plan.client.window].session();
    return exchangeDeviation(plan, await exchangeHttp2(session, plan), record);
  }
  const saw = await callHttp2(await windows.wide.session(), plan);
  await upstreamDone(record);
  return clientFault(saw) ?? callDeviation(plan, saw, record);
}

async function runTunnel(plan: TunnelPlan, tls: FrontAddress, book: CaseBook): Promise<string | undefined> {
  const record = book.open(plan);
  const saw = await openTunnel(tls, plan);
  await upstreamDone(record);
  return clientFault(saw.answer) ?? tunnelDeviation(plan, saw, record);
}

/** A case that has reached its upstream is over there as well; within the patience of the upstream. */
async function upstreamDone({ requests, over }: CaseRecord): Promise<void> {
  if (requests.length > 0) await over.promise;
}

function usesStream(plan: Plan): boolean {
  return plan.kind === 'call' || (plan.kind === 'exchange' && plan.client.http === '2');
}

/** The exchanges over HTTP/1: those that may be pipelined in groups, the others alone. */
function pipelinesOf(plans: readonly Plan[]): Pipeline[] {
  const pipelines: Pipeline[] = [];
  let open: Pipeline | undefined;
  for (const plan of plans) {
    if (plan.kind !== 'exchange' || plan.client.http === '2') continue;
    if (plan.client.pipelined && open !== undefined) open.push(plan);
    else pipelines.push([plan]);
    if (plan.client.pipelined) open ??= pipelines.at(-1);
    if (open?.length === PIPELINE) open = undefined;
  }
  return pipelines;
}

function workers<T>(count: number, work: T[], run: (one: T) => Promise<void>): Promise<void>[] {
  return Array.from({ length: count }, () => takeTurns(work, run));
}

async function takeTurns<T>(work: T[], run: (one: T) => Promise<void>): Promise<void> {
  for (let one = work.shift(); one !== undefined; one = work.shift()) await run(one);
}
