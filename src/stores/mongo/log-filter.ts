import type { Document } from 'mongodb';
import type { RecordQuery } from '../../fleet/state-store.ts';

/** What has expired may still be there for a minute: it is not shown. */
export function logFilter({ service, instance, since }: Omit<RecordQuery, 'limit'>, keptMs: number): Document {
  const oldest = new Date(Math.max(Date.now() - keptMs, since === undefined ? 0 : Date.parse(since)));
  return {
    at: { $gte: oldest },
    ...(service !== undefined && { service }),
    ...(instance !== undefined && { instance }),
  };
}
