import { z } from 'zod';
import { ApiProblem } from './problem.ts';
import { queryCount } from './request-input.ts';

export const pageQuery = z.object({
  limit: queryCount(1, 1_000).default(100),
  cursor: z.string('must be given once').optional(),
});

export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
  readonly nextCursor?: string;
}

/**
 * A part of a list in the order of its keys. The cursor is the last key of the part before, so that nothing is
 * skipped or told twice when items come and go in between.
 *
 * @throws ApiProblem `invalid_request` for a cursor that is not one of ours
 */
export function pageOf<T>(all: readonly T[], keyOf: (item: T) => string, query: z.infer<typeof pageQuery>): Page<T> {
  const sorted = all.map((item) => ({ item, key: keyOf(item) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const after = query.cursor === undefined ? undefined : decode(query.cursor);
  const rest = after === undefined ? sorted : sorted.filter(({ key }) => key > after);
  const part = rest.slice(0, query.limit);
  const last = part.at(-1);
  const items = part.map(({ item }) => item);
  if (last === undefined || rest.length === part.length) return { items, total: all.length };
  return { items, total: all.length, nextCursor: Buffer.from(last.key).toString('base64url') };
}

function decode(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (Buffer.from(key).toString('base64url') === cursor && key !== '') return key;
  const problems = [{ field: 'cursor', message: 'must be a nextCursor of an earlier answer' }];
  throw new ApiProblem(400, 'invalid_request', 'The request was not understood: cursor is not one of ours', {
    problems,
  });
}
