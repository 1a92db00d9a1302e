import { z } from 'zod';
import { someOf, text, whole } from './field-values.ts';
import { parsedBy, Unacceptable } from '../parsed-type.ts';
import type { ReadinessSpec, ReadinessStrategy } from '../service-spec.ts';
import { strictFields } from './strict-fields.ts';
import { someDurationMs } from '../units.ts';

/** The path and query of a request that we make ourselves. */
export const requestPath = parsedBy((value) => {
  if (typeof value !== 'string' || !/^\/[\x21-\x22\x24-\x7e]*$/.test(value)) {
    throw new Unacceptable("must be a path that starts with '/', without spaces or '#'");
  }
  return value;
});

const fields = strictFields({
  http: requestPath.optional(),
  exec: someOf(text).optional(),
  docker: z.literal(true, 'must be true, or left out').optional(),
  tcp: z.literal(true, 'must be true, or left out').optional(),
  interval: someDurationMs.optional(),
  retries: whole(1, 100_000).optional(),
});

type Fields = z.output<typeof fields>;

function strategyOf({ http, exec, docker, tcp }: Fields): ReadinessStrategy {
  if (http !== undefined) return { kind: 'http', path: http };
  if (exec !== undefined) return { kind: 'exec', command: exec };
  if (docker) return { kind: 'docker' };
  return tcp ? { kind: 'tcp' } : { kind: 'auto' };
}

export const readinessType: z.ZodType<ReadinessSpec> = fields
  .refine(
    ({ http, exec, docker, tcp }) => [http, exec, docker, tcp].filter((one) => one !== undefined).length <= 1,
    "must name one of 'http', 'exec', 'docker' and 'tcp'",
  )
  .transform((given) => ({
    strategy: strategyOf(given),
    ...(given.interval !== undefined && { intervalMs: given.interval }),
    ...(given.retries !== undefined && { retries: given.retries }),
  }));
