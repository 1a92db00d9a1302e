import { z } from 'zod';
import { oneOf, percent } from './field-values.ts';
import { chosenBy } from '../parsed-type.ts';
import { requestPath } from './readiness.ts';
import type { SleepSpec, SleepTier } from '../service-spec.ts';
import { strictFields } from './strict-fields.ts';
import { someDurationMs } from '../units.ts';

type Tiers = SleepSpec['tiers'];

const DEPTHS: Readonly<Record<SleepTier['strategy'], number>> = { pause: 0, stop: 1, remove: 2 };

const strategy = oneOf('stop', 'pause', 'remove');

/** A tier below another one: nothing of it is guessed. It holds itself, so it is made when it is needed. */
const deeper: z.ZodType<Tiers> = z.lazy(() =>
  strictFields({ after: someDurationMs, strategy, then: deeper.optional() }).transform(flatten),
);

function flatten(
  given: { after: number; strategy: SleepTier['strategy']; then?: Tiers | undefined },
  context: z.RefinementCtx,
): Tiers {
  const next = given.then?.[0];
  if (next && DEPTHS[next.strategy] <= DEPTHS[given.strategy]) {
    const message = `must be deeper than '${given.strategy}': pause, then stop, then remove`;
    context.addIssue({ code: 'custom', path: ['then', 'strategy'], message });
  }
  return [{ afterMs: given.after, strategy: given.strategy }, ...(given.then ?? [])];
}

const unless = strictFields({ cpuAbove: percent.optional(), probe: requestPath.optional() }).transform((given) => ({
  ...(given.cpuAbove !== undefined && { cpuAbove: given.cpuAbove }),
  ...(given.probe !== undefined && { probe: given.probe }),
}));

const sleeping = strictFields({
  after: someDurationMs.prefault('15m'),
  strategy: strategy.default('stop'),
  then: deeper.optional(),
  unless: unless.prefault({}),
}).transform((given, context) => ({ tiers: flatten(given, context), unless: given.unless }));

/** `sleep`: false, or one or more tiers. */
export const sleepType = chosenBy<SleepSpec | false>((value) =>
  typeof value === 'object' ? sleeping : z.literal(false, 'must be false or an object such as { after: "15m" }'),
);
