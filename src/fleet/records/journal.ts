import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { within } from '../../lib/within.ts';
import type { EventRecord, SampleRecord, SessionRecord, StateStore } from '../state-store.ts';
import { WriteBehind } from './write-behind.ts';

export interface JournalTools {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** How many records of each kind may wait while the store is away. */
  readonly capacity: number;
}

const EVENTS_AFTER_MS = 500;
const SESSIONS_AFTER_MS = 1_000;
const SAMPLES_AFTER_MS = 2_000;
const CLOSE_WAITS_MS = 3_000;

/** Where events, sessions and samples are handed over to be remembered. Nobody waits for the store. */
export class Journal {
  readonly #events: WriteBehind<EventRecord>;
  readonly #sessions: WriteBehind<SessionRecord>;
  readonly #samples: WriteBehind<SampleRecord>;
  readonly #clock: Clock;
  readonly #stopWatching: () => void;

  constructor({ store, clock, log, capacity }: JournalTools) {
    this.#clock = clock;
    const common = { clock, log, capacity };
    this.#events = new WriteBehind<EventRecord>({
      ...{ ...common, what: 'events', afterMs: EVENTS_AFTER_MS, keyOf: ({ _id }) => _id, merge: newer },
      save: (records) => store.saveEvents(records),
    });
    this.#sessions = new WriteBehind<SessionRecord>({
      ...{ ...common, what: 'sessions', afterMs: SESSIONS_AFTER_MS, keyOf: ({ _id }) => _id },
      merge: (first, latest) => ({ ...latest, createdAt: first.createdAt }),
      save: (records) => store.saveSessions(records),
    });
    this.#samples = new WriteBehind<SampleRecord>({
      ...{ ...common, what: 'samples', afterMs: SAMPLES_AFTER_MS, merge: newer },
      keyOf: ({ service, instance, at }) => `${service} ${instance} ${at}`,
      save: (records) => store.saveSamples(records),
    });
    this.#stopWatching = store.watch(({ kind }) => {
      if (kind === 'reread') for (const each of this.#all) each.writeNow();
    });
  }

  addEvent(record: EventRecord): void {
    this.#events.add(record);
  }

  addSession(record: SessionRecord): void {
    this.#sessions.add(record);
  }

  addSample(record: SampleRecord): void {
    this.#samples.add(record);
  }

  /** Tries once more to write what is left. A store that is slow does not hold up the end. */
  async close(): Promise<void> {
    this.#stopWatching();
    await within(this.#clock, CLOSE_WAITS_MS, Promise.all(this.#all.map((each) => each.close())));
  }

  get #all(): readonly Pick<WriteBehind<never>, 'writeNow' | 'close'>[] {
    return [this.#events, this.#sessions, this.#samples];
  }
}

function newer<T>(_older: T, record: T): T {
  return record;
}
