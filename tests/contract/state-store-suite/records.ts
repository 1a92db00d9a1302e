import type { EventRecord, SampleRecord, ServiceRecord, SessionRecord } from '../../../src/fleet/state-store.ts';

export function serviceRecord(name: string, changes: Partial<ServiceRecord> = {}): ServiceRecord {
  return {
    _id: name,
    routes: [`${name}.test.localhost`],
    status: 'awake',
    desired: 1,
    instances: [
      { id: `${name}-1`, state: 'ready', since: '2026-11-01T10:00:00.000Z', upstream: '127.0.0.1:3000' },
      { id: `${name}-2`, state: 'starting', since: '2026-11-01T10:00:01.000Z' },
    ],
    rev: 1,
    updatedAt: '2026-11-01T10:00:02.000Z',
    proxyId: 'proxy-1',
    ...changes,
  };
}

/** So many milliseconds before now, in ISO 8601; negative = after. */
export function ago(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}

export function sessionRecord(id: string, changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    _id: id,
    service: 'web',
    instanceId: 'web-1',
    clientHint: '127.0.0.1 Firefox',
    createdAt: ago(60_000),
    lastSeenAt: ago(1_000),
    expiresAt: ago(-3_600_000),
    ...changes,
  };
}

export function eventRecord(id: string, changes: Partial<EventRecord> = {}): EventRecord {
  const at = ago(1_000);
  return {
    _id: `reveille/proxy-1#${id}`,
    service: 'web',
    at,
    specversion: '1.0',
    id,
    source: 'reveille/proxy-1',
    type: 'service.awake',
    subject: 'web',
    time: at,
    data: { totalMs: 12, deep: { 'a.b': [1, 'two', null] } },
    ...changes,
  };
}

export function sampleRecord(changes: Partial<SampleRecord> = {}): SampleRecord {
  return { service: 'web', instance: 'web-1', at: ago(1_000), cpu: 12.5, memory: 1_048_576, inFlight: 2, ...changes };
}
