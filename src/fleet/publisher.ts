import type { Clock, Timer } from '../lib/clock.ts';
import type { FleetUpdate, ServiceView } from '../seam/fleet-view.ts';

/** Progress is told this often at most. */
const SOON_MS = 100;

export interface Publishable {
  readonly name: string;
  view(): ServiceView;
}

/** Numbers the changes of the fleet and hands them to the data half, at once and in order. */
export class Publisher {
  readonly #clock: Clock;
  readonly #listeners = new Set<(update: FleetUpdate) => void>();
  readonly #soon = new Map<string, Timer>();
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get version(): number {
    return this.#version;
  }

  subscribe(all: readonly Publishable[], listener: (update: FleetUpdate) => void): () => void {
    this.#listeners.add(listener);
    listener({ version: this.#version, complete: true, services: all.map((each) => each.view()), removed: [] });
    return () => this.#listeners.delete(listener);
  }

  /** @returns the version that shows the change */
  publish(service: Publishable): number {
    this.#soon.get(service.name)?.cancel();
    this.#soon.delete(service.name);
    return this.#send({ services: [service.view()], removed: [] });
  }

  publishSoon(service: Publishable): void {
    if (this.#soon.has(service.name)) return;
    this.#soon.set(
      service.name,
      this.#clock.after(SOON_MS, () => this.publish(service)),
    );
  }

  /** @returns the version that no longer has it */
  publishRemoved(name: string): number {
    this.#soon.get(name)?.cancel();
    this.#soon.delete(name);
    return this.#send({ services: [], removed: [name] });
  }

  #send(change: Pick<FleetUpdate, 'services' | 'removed'>): number {
    this.#version += 1;
    const update = { version: this.#version, complete: false, ...change };
    for (const listener of this.#listeners) listener(update);
    return this.#version;
  }
}
