import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type Certificate } from '../conformance/rig/certificate.ts';
import { Leftovers } from './leftovers.ts';
import { planOf } from './plan/plan-of.ts';
import { runPlans } from './run-plans.ts';
import { Stage } from './stage.ts';
import { untilPasses } from '../support/until.ts';

/** See README.md beside this file. */
const ONLY_SEED = process.env['GENERATOR_SEED'];
const ONLY_CASE = process.env['GENERATOR_CASE'];
const NEW_SEEDS = Number(process.env['GENERATOR_SEEDS'] ?? 1);
const CASES = Number(process.env['GENERATOR_CASES'] ?? 500);

const FIXED_SEEDS = [1, 2, 3];
const SHOWN = 10;
const TIMEOUT_MS = 600_000;
/** Of what is exchanged this is a small part. */
const SPARE_BUFFER_BYTES = 4_000_000;
const PATIENCE = { timeout: 20_000, interval: 100 };

let certificate: Certificate;
let leftovers: Leftovers;
const stages: Stage[] = [];
const escaped: unknown[] = [];
const onEscaped = (error: unknown): void => void escaped.push(error);

beforeAll(async () => {
  certificate = await makeCertificate();
  leftovers = new Leftovers();
  process.on('uncaughtExceptionMonitor', onEscaped);
});
afterAll(async () => {
  process.off('uncaughtExceptionMonitor', onEscaped);
  for (const stage of stages) await stage.close();
});

function seeds(): number[] {
  if (ONLY_SEED !== undefined) return [Number(ONLY_SEED)];
  return [...FIXED_SEEDS, ...Array.from({ length: NEW_SEEDS }, () => Math.floor(Math.random() * 1_000_000_000))];
}

describe(`${CASES} generated cases`, () => {
  it.each(seeds())(
    'reach both ends as a plain model says (GENERATOR_SEED=%i)',
    { timeout: TIMEOUT_MS },
    async (seed) => {
      const indices = ONLY_CASE === undefined ? Array.from({ length: CASES }, (_, at) => at) : [Number(ONLY_CASE)];
      const plans = indices.map((index) => planOf(seed, index));
      const stage = new Stage(certificate);
      stages.push(stage);
      const deviations = await runPlans(plans, stage.book, await stage.open());
      expect(deviations.slice(0, SHOWN), `${deviations.length} deviations; GENERATOR_SEED=${seed}`).toEqual([]);
      expect(stage.faults).toEqual([]);
      expect(escaped).toEqual([]);
    },
  );

  it('leave nothing behind', async () => {
    // Before the front closes: what it has forgotten would go with it.
    await untilPasses(
      () => expect(stages.map((stage) => stage.connectionsInUse)).toEqual(stages.map(() => 0)),
      PATIENCE,
    );
    for (const stage of stages.splice(0)) await stage.close();
    await untilPasses(() => expect(leftovers.since()).toEqual({}), PATIENCE);
    await untilPasses(() => expect(leftovers.bufferBytesSince()).toBeLessThan(SPARE_BUFFER_BYTES), PATIENCE);
    expect(escaped).toEqual([]);
  });
});
