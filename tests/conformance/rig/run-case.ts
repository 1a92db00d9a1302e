import { CaseBench } from './case-bench.ts';
import { CaseUpstream } from './case-upstream.ts';
import type { Certificate } from './certificate.ts';
import { verdict, type ConformanceCase, type Verdict } from './conformance-case.ts';
import type { Front } from './front.ts';

/** How long a whole case may take, in milliseconds. */
const CASE_LIMIT_MS = 25_000;

/** Runs one case on a front of its own; undefined when the case does not concern it. */
export async function runCase(
  front: Front,
  one: ConformanceCase,
  certificate: Certificate,
): Promise<Verdict | undefined> {
  if (one.http2 === true && !front.http2) return undefined;
  if (one.own === true && front.name !== 'Reveille') return undefined;
  const upstream = await new CaseUpstream().start();
  const open = await front.open({ upstreamPort: upstream.port, settings: one.settings ?? {}, certificate });
  const bench = new CaseBench(upstream, open, certificate);
  try {
    const found = await Promise.race([tried(one, bench), outOfTime()]);
    const ended = open.ended();
    return ended === undefined ? found : verdict(false, `its process ended (${ended}); ${found.seen}`);
  } finally {
    await bench.close();
  }
}

async function tried(one: ConformanceCase, bench: CaseBench): Promise<Verdict> {
  try {
    return await one.run(bench);
  } catch (error) {
    return verdict(false, error instanceof Error ? error.message : String(error));
  }
}

function outOfTime(): Promise<Verdict> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(verdict(false, `not over within ${CASE_LIMIT_MS / 1_000} s`)), CASE_LIMIT_MS).unref();
  });
}
