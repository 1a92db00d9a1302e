import type { Member } from '../member.ts';
import type { ServiceRecord } from '../state-store.ts';

/** A member of the fleet as it is remembered and told: plain data, times in ISO 8601. */
export function recordOf(member: Member, rev: number, nowEpochMs: number, proxyId: string): ServiceRecord {
  const { name, spec, status, desired, instanceViews } = member;
  return {
    _id: name,
    routes: spec.routes.map(({ host, path }) => (path === '/' ? host : host + path)),
    status,
    desired,
    instances: instanceViews.map(({ since, ...rest }) => ({ ...rest, since: new Date(since).toISOString() })),
    rev,
    updatedAt: new Date(nowEpochMs).toISOString(),
    proxyId,
  };
}
