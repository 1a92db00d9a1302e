import type { Clock } from '../lib/clock.ts';
import type { ActivityReport } from '../seam/control-link.ts';

interface Activity {
  /** By data half; those without any are absent. */
  readonly counts: Map<string, number>;
  /** Monotonic; when it was last seen busy. */
  lastBusyMs: number;
  /** Whether a data half has used it since that was last asked. */
  used: boolean;
}

/** How busy the data halves keep each instance, all of them together: what sleeping and draining decide by. Monotonic time only. */
export class ActivityBoard {
  readonly #clock: Clock;
  readonly #services = new Map<string, Map<string, Activity>>();
  /** Up to which version of the fleet each data half is known to have applied it. */
  readonly #seen = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back after every report. */
  onReport(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From here on nothing counts as drained that this data half may not have let go. */
  join(dataHalf: string): void {
    this.#seen.set(dataHalf, 0);
  }

  /** A data half has ended: what it had in flight ended with it. */
  leave(dataHalf: string): void {
    this.#seen.delete(dataHalf);
    for (const service of this.#services.values()) {
      for (const activity of service.values()) {
        if (activity.counts.delete(dataHalf)) Object.assign(activity, { lastBusyMs: this.#clock.now(), used: true });
      }
    }
    this.#tell();
  }

  seen(dataHalf: string, version: number): void {
    this.#seen.set(dataHalf, Math.max(version, this.#seen.get(dataHalf) ?? 0));
    this.#tell();
  }

  record(dataHalf: string, { service, instanceId, inFlight, seenVersion }: ActivityReport): void {
    const activity = this.#activity(service, instanceId);
    if (activity.counts.has(dataHalf) || inFlight > 0) activity.used = true;
    if (activity.counts.size > 0 || inFlight > 0) activity.lastBusyMs = this.#clock.now();
    if (inFlight > 0) activity.counts.set(dataHalf, inFlight);
    else activity.counts.delete(dataHalf);
    this.seen(dataHalf, seenVersion);
  }

  /** Another process, with data halves of its own, says how many it has in flight, by service and instance. */
  tellOf(process: string, inFlight: Readonly<Record<string, Readonly<Record<string, number>>>>): void {
    for (const [service, instances] of this.#services) {
      for (const [id, activity] of instances) {
        if (inFlight[service]?.[id] === undefined && activity.counts.delete(process))
          activity.lastBusyMs = this.#clock.now();
      }
    }
    for (const [service, instances] of Object.entries(inFlight)) {
      for (const [id, count] of Object.entries(instances)) {
        const activity = this.#activity(service, id);
        activity.lastBusyMs = this.#clock.now();
        if (count > 0) activity.counts.set(process, count);
        else activity.counts.delete(process);
      }
    }
    this.#tell();
  }

  /**
   * What the data halves of this process have in flight, by service and instance; 0 for those that were used since
   * `forgetUse`. All others are absent.
   */
  ownCounts(): Record<string, Record<string, number>> {
    const counts: Record<string, Record<string, number>> = {};
    for (const [service, instances] of this.#services) {
      for (const [id, activity] of instances) {
        const count = total([...activity.counts].filter(([dataHalf]) => this.#seen.has(dataHalf)));
        if (count > 0 || activity.used) (counts[service] ??= {})[id] = count;
      }
    }
    return counts;
  }

  forgetUse(): void {
    for (const instances of this.#services.values()) {
      for (const activity of instances.values()) activity.used = false;
    }
  }

  /** An instance begins to serve: its idle time is counted from here. */
  begin(service: string, instanceId: string): void {
    this.#activity(service, instanceId).lastBusyMs = this.#clock.now();
  }

  forget(service: string, instanceId: string): void {
    this.#services.get(service)?.delete(instanceId);
  }

  inFlight(service: string): number {
    return this.#of(service).reduce((sum, { counts }) => sum + total(counts), 0);
  }

  inFlightOf(service: string, instanceId: string): number {
    return total(this.#services.get(service)?.get(instanceId)?.counts ?? new Map());
  }

  /** The monotonic instant since when nothing has been in flight; undefined while something is, or nothing is known. */
  idleSince(service: string): number | undefined {
    const activities = this.#of(service);
    if (activities.length === 0 || activities.some(({ counts }) => counts.size > 0)) return undefined;
    return Math.max(...activities.map(({ lastBusyMs }) => lastBusyMs));
  }

  /** Whether every data half, having seen `version` of the fleet, has nothing in flight on the instance. */
  isDrained(service: string, instanceId: string, version: number): boolean {
    const busy = (this.#services.get(service)?.get(instanceId)?.counts.size ?? 0) > 0;
    return !busy && this.isSeen(version);
  }

  /** Whether every data half of this process has applied `version` of the fleet. */
  isSeen(version: number): boolean {
    return [...this.#seen.values()].every((seen) => seen >= version);
  }

  #activity(service: string, instanceId: string): Activity {
    const instances = this.#services.get(service) ?? new Map<string, Activity>();
    const fresh = { counts: new Map(), lastBusyMs: this.#clock.now(), used: false };
    const activity = instances.get(instanceId) ?? fresh;
    instances.set(instanceId, activity);
    this.#services.set(service, instances);
    return activity;
  }

  #of(service: string): Activity[] {
    return [...(this.#services.get(service)?.values() ?? [])];
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function total(counts: Iterable<readonly [string, number]>): number {
  let sum = 0;
  for (const [, count] of counts) sum += count;
  return sum;
}
