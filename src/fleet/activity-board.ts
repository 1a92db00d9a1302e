import type { Clock } from '../lib/clock.ts';
import type { ActivityReport } from '../seam/control-link.ts';

interface Activity {
  /** How many are in flight, by data half. Left at 0 rather than deleted, which would cost each request a new table. */
  readonly counts: Map<string, number>;
  /** All of them together. */
  inFlight: number;
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
        if (activity.counts.get(dataHalf)) Object.assign(activity, { lastBusyMs: this.#clock.now(), used: true });
        this.#forgetCount(activity, dataHalf);
      }
    }
    this.#tell();
  }

  seen(dataHalf: string, version: number): void {
    this.#see(dataHalf, version);
    this.#tell();
  }

  record(dataHalf: string, reports: readonly ActivityReport[]): void {
    for (const report of reports) this.#record(dataHalf, report);
    this.#tell();
  }

  #record(dataHalf: string, { service, instanceId, inFlight, seenVersion }: ActivityReport): void {
    const activity = this.#activity(service, instanceId);
    if (inFlight > 0 || activity.counts.get(dataHalf)) activity.used = true;
    if (inFlight > 0 || activity.inFlight > 0) activity.lastBusyMs = this.#clock.now();
    this.#count(activity, dataHalf, inFlight);
    this.#see(dataHalf, seenVersion);
  }

  /** Another process, with data halves of its own, says how many it has in flight, by service and instance. */
  tellOf(process: string, inFlight: Readonly<Record<string, Readonly<Record<string, number>>>>): void {
    for (const [service, instances] of this.#services) {
      for (const [id, activity] of instances) {
        if (inFlight[service]?.[id] !== undefined || !activity.counts.get(process)) continue;
        activity.lastBusyMs = this.#clock.now();
        this.#forgetCount(activity, process);
      }
    }
    for (const [service, instances] of Object.entries(inFlight)) {
      for (const [id, count] of Object.entries(instances)) {
        const activity = this.#activity(service, id);
        activity.lastBusyMs = this.#clock.now();
        if (count > 0) this.#count(activity, process, count);
        else this.#forgetCount(activity, process);
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
        const count = this.#ownCount(activity);
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
    return this.#of(service).reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  inFlightOf(service: string, instanceId: string): number {
    return this.#services.get(service)?.get(instanceId)?.inFlight ?? 0;
  }

  /** The monotonic instant at which it was last seen busy; undefined when nothing is known of it. */
  lastBusyMs(service: string, instanceId: string): number | undefined {
    return this.#services.get(service)?.get(instanceId)?.lastBusyMs;
  }

  /** The monotonic instant since when nothing has been in flight; undefined while something is, or nothing is known. */
  idleSince(service: string): number | undefined {
    const activities = this.#of(service);
    if (activities.length === 0 || activities.some(({ inFlight }) => inFlight > 0)) return undefined;
    return Math.max(...activities.map(({ lastBusyMs }) => lastBusyMs));
  }

  /** Whether every data half, having seen `version` of the fleet, has nothing in flight on the instance. */
  isDrained(service: string, instanceId: string, version: number): boolean {
    return this.inFlightOf(service, instanceId) === 0 && this.isSeen(version);
  }

  /** Whether every data half of this process has applied `version` of the fleet. */
  isSeen(version: number): boolean {
    return [...this.#seen.values()].every((seen) => seen >= version);
  }

  #see(dataHalf: string, version: number): void {
    this.#seen.set(dataHalf, Math.max(version, this.#seen.get(dataHalf) ?? 0));
  }

  #activity(service: string, instanceId: string): Activity {
    let instances = this.#services.get(service);
    if (!instances) this.#services.set(service, (instances = new Map<string, Activity>()));
    let activity = instances.get(instanceId);
    if (!activity) {
      activity = { counts: new Map(), inFlight: 0, lastBusyMs: this.#clock.now(), used: false };
      instances.set(instanceId, activity);
    }
    return activity;
  }

  #count(activity: Activity, dataHalf: string, inFlight: number): void {
    activity.inFlight += inFlight - (activity.counts.get(dataHalf) ?? 0);
    activity.counts.set(dataHalf, inFlight);
  }

  #forgetCount(activity: Activity, dataHalf: string): void {
    this.#count(activity, dataHalf, 0);
    activity.counts.delete(dataHalf);
  }

  #ownCount({ counts }: Activity): number {
    let sum = 0;
    for (const dataHalf of this.#seen.keys()) sum += counts.get(dataHalf) ?? 0;
    return sum;
  }

  #of(service: string): Activity[] {
    return [...(this.#services.get(service)?.values() ?? [])];
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
