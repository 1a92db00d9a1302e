import type { EventRecord, StateStore } from '../fleet/state-store.ts';
import type { EventAnswer } from './contract.ts';
import { HISTORY_LENGTH } from './event-history.ts';

/**
 * What the store keeps of the events since an instant, the last 1,000 of them, oldest first; they may come from earlier
 * lives of the daemon, and from others that share the store.
 * @throws CodedError `store_unavailable` and the like while the store cannot be read
 */
export async function recordedEvents(
  store: Pick<StateStore, 'listEvents'>,
  since: string,
  service: string | undefined,
): Promise<EventAnswer[]> {
  const query = { since, limit: HISTORY_LENGTH, ...(service !== undefined && { service }) };
  return (await store.listEvents(query)).map(recordedEvent);
}

/** Both, each event once: memory has the newest before they are stored. */
export function mergeEvents(recorded: readonly EventAnswer[], recent: readonly EventAnswer[]): EventAnswer[] {
  const byId = new Map([...recorded, ...recent].map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).slice(-HISTORY_LENGTH);
}

function recordedEvent({ id, type, service, subject, at, data }: EventRecord): EventAnswer {
  const [, instance] = subject.split('/');
  return { id, type, service, ...(instance !== undefined && { instance }), at, data };
}
