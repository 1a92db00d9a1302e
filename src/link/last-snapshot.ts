import type { FleetUpdate, ServiceView } from '../seam/fleet-view.ts';

/** All that is known of the fleet, so that it outlives the control process that told it. */
export class LastSnapshot {
  readonly #services = new Map<string, ServiceView>();
  #version = 0;

  /** @returns the update with all it removes named, also where it is complete */
  apply(update: FleetUpdate): FleetUpdate {
    const named = new Set(update.services.map(({ name }) => name));
    const gone = update.complete ? [...this.#services.keys()].filter((name) => !named.has(name)) : update.removed;
    for (const name of gone) this.#services.delete(name);
    for (const view of update.services) this.#services.set(view.name, view);
    this.#version = update.version;
    return { ...update, removed: gone };
  }

  whole(): FleetUpdate {
    return { version: this.#version, complete: true, services: [...this.#services.values()], removed: [] };
  }
}
