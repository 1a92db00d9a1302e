import { EVENTS_KEPT_MS, SAMPLES_KEPT_MS, type EventRecord, type SampleRecord } from '../../fleet/state-store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { eventCodec, sampleCodec } from '../record-codec.ts';
import { LogTable } from './log-table.ts';
import { ServiceTable } from './service-table.ts';
import { SessionTable } from './session-table.ts';
import type { Database } from './sqlite.ts';

const PRUNE_EVERY_MS = 60_000;

/** Everything in an open database. Holds it: the driver crashes when a database is collected while one of its statements lives. */
export class Tables {
  static readonly schema = [
    ServiceTable.schema,
    SessionTable.schema,
    LogTable.schema('events'),
    LogTable.schema('samples'),
  ].join(';');

  readonly database: Database;
  readonly services: ServiceTable;
  readonly sessions: SessionTable;
  readonly events: LogTable<EventRecord>;
  readonly samples: LogTable<SampleRecord>;
  readonly #clock: Clock;
  #prunedMs = -PRUNE_EVERY_MS;

  constructor(database: Database, clock: Clock, log: Logger) {
    this.database = database;
    this.#clock = clock;
    this.services = new ServiceTable(database, log);
    this.sessions = new SessionTable(database, log);
    this.events = new LogTable(database, log, {
      name: 'events',
      codec: eventCodec,
      idOf: ({ _id }) => _id,
      instanceOf: () => '',
    });
    this.samples = new LogTable(database, log, {
      name: 'samples',
      codec: sampleCodec,
      idOf: ({ service, instance, at }) => JSON.stringify([service, instance, at]),
      instanceOf: ({ instance }) => instance,
    });
  }

  /** The instant so long ago, in ISO 8601. */
  ago(ms: number): string {
    return new Date(this.#clock.epochMs() - ms).toISOString();
  }

  /** All of the work is stored, or nothing of it. */
  atOnce<T>(work: () => T): T {
    this.database.exec('BEGIN');
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** A full disk has ended the transaction already; that there is none left must not hide why. */
  #rollBack(): void {
    try {
      this.database.exec('ROLLBACK');
    } catch {
      // The reason to roll back is what is told.
    }
  }

  /** Removes what has expired, once a minute. @returns the ids of the sessions among it */
  prune(): string[] {
    if (this.#clock.now() - this.#prunedMs < PRUNE_EVERY_MS) return [];
    this.#prunedMs = this.#clock.now();
    this.events.prune(this.ago(EVENTS_KEPT_MS));
    this.samples.prune(this.ago(SAMPLES_KEPT_MS));
    return this.sessions.prune(this.ago(0));
  }
}
