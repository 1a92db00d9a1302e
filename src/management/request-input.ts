import { z } from 'zod';
import { ApiProblem } from './problem.ts';

/** Checks a body or a query. @throws ApiProblem `invalid_request` that lists every field that is wrong */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({ field: path.join('.') || 'body', message }));
  const list = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new ApiProblem(400, 'invalid_request', `The request was not understood: ${list}`, { problems });
}

/** A flag of a query. */
export function queryFlag(byDefault: boolean): z.ZodType<boolean> {
  return z
    .enum(['true', 'false'], "must be 'true' or 'false'")
    .default(byDefault ? 'true' : 'false')
    .transform((text) => text === 'true');
}

/** A whole number of a query. */
export function queryCount(lowest: number, highest: number): z.ZodType<number> {
  const message = `must be a whole number from ${lowest} to ${highest}`;
  return z
    .string(message)
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((count) => count >= lowest && count <= highest, message);
}

/** A point in time of a query, in UTC: texts of this form sort by time. */
export function queryInstant(): z.ZodType<string | undefined> {
  return z.iso
    .datetime({ offset: true, error: 'must be a time such as 2026-11-21T10:00:00Z' })
    .transform((text) => new Date(text).toISOString())
    .optional();
}
