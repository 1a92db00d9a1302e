import type { EventBus } from '../fleet/event-bus.ts';
import type { FleetEvent } from '../fleet/events.ts';
import type { Journal } from '../fleet/records/journal.ts';
import type { Monitor } from '../fleet/usage/monitor.ts';
import type { EventRecord } from '../fleet/state-store.ts';
import type { SessionReport } from '../seam/control-link.ts';
import { toCloudEvent } from '../messaging/cloud-event.ts';

/** Hands every event of the fleet to the journal, as the CloudEvent that goes out over MQTT. */
export function keepEvents(bus: EventBus, journal: Journal, proxyId: string): void {
  bus.subscribe((event) => journal.addEvent(eventRecordOf(event, proxyId)));
}

/** The ring in memory has every sample; the store has one of each instance in so many milliseconds. */
const SAMPLE_EVERY_MS = 10_000;

/** Hands samples of every instance to the journal. */
export function keepSamples(monitor: Monitor, journal: Journal): void {
  const keptAtMs = new Map<string, number>();
  monitor.onSample(({ service, instanceId: instance, atEpochMs, cpuRatio, memoryBytes: memory, inFlight }) => {
    if (atEpochMs - (keptAtMs.get(instance) ?? 0) < SAMPLE_EVERY_MS) return;
    keptAtMs.set(instance, atEpochMs);
    const cpu = cpuRatio === null ? null : Math.round(cpuRatio * 10_000) / 100;
    journal.addSample({ service, instance, at: new Date(atEpochMs).toISOString(), cpu, memory, inFlight });
  });
}

/** Hands sessions to the journal, each until `ttlMs` after it was seen. */
export function keepSessions(journal: Journal, reports: readonly SessionReport[], ttlMs: number): void {
  for (const { id, service, instanceId, clientHint, seenAtEpochMs } of reports) {
    const seenAt = new Date(seenAtEpochMs).toISOString();
    const expiresAt = new Date(seenAtEpochMs + ttlMs).toISOString();
    journal.addSession({ _id: id, service, instanceId, clientHint, createdAt: seenAt, lastSeenAt: seenAt, expiresAt });
  }
}

function eventRecordOf(event: FleetEvent, proxyId: string): EventRecord {
  const cloudEvent = toCloudEvent(event, proxyId);
  const { specversion, id, source, type, subject, time, data } = cloudEvent;
  return {
    _id: `${source}#${id}`,
    service: event.service,
    at: time,
    ...{ specversion, id, source, type, subject, time, data },
  };
}
