import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { EventType, FleetEvent } from './events.ts';

type Listener = (event: FleetEvent) => void;

/** Where facts go up. A listener that throws is logged and hurts nobody else. */
export class EventBus {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listeners = new Set<Listener>();
  /** Ids sort by time within one daemon and do not repeat across restarts. */
  readonly #epoch = randomUUID().slice(0, 8);
  #count = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(type: EventType, service: string, data: Record<string, unknown> = {}, instanceId?: string): void {
    this.#count += 1;
    const event: FleetEvent = {
      id: `${this.#epoch}-${String(this.#count).padStart(9, '0')}`,
      type,
      service,
      ...(instanceId === undefined ? {} : { instanceId }),
      atEpochMs: this.#clock.epochMs(),
      data,
    };
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ err: error, event: type, service }, 'a listener of the event bus failed');
      }
    }
  }
}
