import type { Clock } from '../lib/clock.ts';
import type { ActivityReport } from '../seam/control-link.ts';

interface Activity {
  inFlight: number;
  seenVersion: number;
  /** Monotonic; when it was last seen busy. */
  lastBusyMs: number;
}

/** How busy the data half keeps each instance: what sleeping and draining decide by. Monotonic time only. */
export class ActivityBoard {
  readonly #clock: Clock;
  readonly #services = new Map<string, Map<string, Activity>>();
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back after every report. */
  onReport(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  record({ service, instanceId, inFlight, seenVersion }: ActivityReport): void {
    const activity = this.#activity(service, instanceId);
    if (activity.inFlight > 0 || inFlight > 0) activity.lastBusyMs = this.#clock.now();
    activity.inFlight = inFlight;
    activity.seenVersion = seenVersion;
    for (const listener of this.#listeners) listener();
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

  /** The monotonic instant since when nothing has been in flight; undefined while something is, or nothing is known. */
  idleSince(service: string): number | undefined {
    const activities = this.#of(service);
    if (activities.length === 0 || activities.some(({ inFlight }) => inFlight > 0)) return undefined;
    return Math.max(...activities.map(({ lastBusyMs }) => lastBusyMs));
  }

  /** Whether the data half, having seen `version` of the fleet, has nothing in flight on the instance. */
  isDrained(service: string, instanceId: string, version: number): boolean {
    const activity = this.#services.get(service)?.get(instanceId);
    return activity === undefined || (activity.inFlight === 0 && activity.seenVersion >= version);
  }

  #activity(service: string, instanceId: string): Activity {
    const instances = this.#services.get(service) ?? new Map<string, Activity>();
    const activity = instances.get(instanceId) ?? { inFlight: 0, seenVersion: 0, lastBusyMs: this.#clock.now() };
    instances.set(instanceId, activity);
    this.#services.set(service, instances);
    return activity;
  }

  #of(service: string): Activity[] {
    return [...(this.#services.get(service)?.values() ?? [])];
  }
}
