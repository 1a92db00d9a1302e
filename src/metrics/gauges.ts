import type { Fleet } from '../fleet/fleet.ts';
import type { Member } from '../fleet/member.ts';
import type { Usage } from '../fleet/runtime.ts';
import type { Family, Series } from './family.ts';

/** What the gauges are read from, at each scrape. */
export interface Gauged {
  readonly fleet: Pick<Fleet, 'member' | 'members' | 'inFlight' | 'monitor' | 'peers'>;
  readonly store: { readonly condition: { readonly up: boolean } };
  readonly mqtt: { readonly condition: { readonly up: boolean }; readonly dropped: number };
}

/** How things stand now. A service that has left the manifest is in none of them. */
export function gauges({ fleet, store, mqtt }: Gauged): Family[] {
  const members = fleet.members();
  const each = (value: (name: string) => number): Iterable<Series> => perService(members, value);
  const used = (field: 'cpuRatio' | 'memoryBytes'): Iterable<Series> =>
    usage(members, (service, id) => fleet.monitor.usageOf(service, id), field);
  return [
    { metric: 'in_flight', series: each((name) => fleet.inFlight(name)) },
    { metric: 'waiting', series: each((name) => fleet.peers.waitingFor(name)) },
    { metric: 'instances', series: instances(members) },
    { metric: 'cpu_ratio', series: used('cpuRatio') },
    { metric: 'memory_bytes', series: used('memoryBytes') },
    { metric: 'breaker_state', series: breakers(members, (id) => fleet.peers.isOpen(id)) },
    { metric: 'mqtt_connected', series: [{ labels: {}, value: Number(mqtt.condition.up) }] },
    { metric: 'mqtt_dropped_total', series: [{ labels: {}, value: mqtt.dropped }] },
    { metric: 'store_connected', series: [{ labels: {}, value: Number(store.condition.up) }] },
  ];
}

function* perService(members: readonly Member[], value: (name: string) => number): Iterable<Series> {
  for (const { name } of members) yield { labels: { service: name }, value: value(name) };
}

/** Whether any is ready is asked of every service; who waits for that to be 0 must find a number. */
function* instances(members: readonly Member[]): Iterable<Series> {
  for (const { name: service, instanceViews } of members) {
    const counts = new Map([['ready', 0]]);
    for (const { state } of instanceViews) if (state !== 'absent') counts.set(state, (counts.get(state) ?? 0) + 1);
    for (const [state, value] of counts) yield { labels: { service, state }, value };
  }
}

function* usage(
  members: readonly Member[],
  usageOf: (service: string, id: string) => Usage | undefined,
  field: 'cpuRatio' | 'memoryBytes',
): Iterable<Series> {
  for (const { name: service, instanceViews } of members) {
    for (const { id } of instanceViews) {
      const value = usageOf(service, id)?.[field] ?? undefined;
      if (value !== undefined) yield { labels: { service, instance: id }, value };
    }
  }
}

function* breakers(members: readonly Member[], isOpen: (id: string) => boolean): Iterable<Series> {
  for (const { name: service, instanceViews } of members) {
    for (const { id, upstream } of instanceViews) {
      if (upstream !== undefined) yield { labels: { service, instance: id }, value: Number(isOpen(id)) };
    }
  }
}
