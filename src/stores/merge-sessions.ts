import type { SessionRecord } from '../fleet/state-store.ts';

/** Two records of one session: what was seen last, since it was first seen. The order in which they were written does not matter. */
export function mergeSessions(stored: SessionRecord | undefined, record: SessionRecord): SessionRecord {
  if (!stored) return record;
  const latest = record.lastSeenAt >= stored.lastSeenAt ? record : stored;
  return { ...latest, createdAt: stored.createdAt < record.createdAt ? stored.createdAt : record.createdAt };
}
