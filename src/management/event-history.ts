import type { EventBus } from '../fleet/event-bus.ts';
import type { FleetEvent } from '../fleet/events.ts';

/** How many of the last events can be asked for again. */
export const HISTORY_LENGTH = 1_000;

/** The last events, for those who come late or come back. */
export class EventHistory {
  readonly #bus: EventBus;
  #events: FleetEvent[] = [];
  #unsubscribe: (() => void) | undefined;

  constructor(bus: EventBus) {
    this.#bus = bus;
  }

  start(): void {
    this.#unsubscribe ??= this.#bus.subscribe((event) => {
      this.#events.push(event);
      // Cut in large pieces: moving a thousand entries at every event would cost more than it saves.
      if (this.#events.length >= 2 * HISTORY_LENGTH) this.#events = this.#events.slice(-HISTORY_LENGTH);
    });
  }

  close(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  last(count: number): FleetEvent[] {
    return count === 0 ? [] : this.#events.slice(-Math.min(count, HISTORY_LENGTH));
  }

  /** What came after the event of this id; everything when it is not known (any more), for then nothing can be ruled out. */
  after(id: string): FleetEvent[] {
    const kept = this.last(HISTORY_LENGTH);
    return kept.slice(kept.findIndex((event) => event.id === id) + 1);
  }
}
