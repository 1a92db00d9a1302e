import type { Db } from 'mongodb';
import { EVENTS_KEPT_MS, type EventRecord, type RecordQuery } from '../../fleet/state-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { eventCodec, type Shape } from '../record-codec.ts';
import { documentReader, toDocument, type DocumentReader } from './documents.ts';
import { onlyDuplicates } from './duplicates.ts';
import { logFilter } from './log-filter.ts';

interface EventDocument extends Shape {
  _id: string;
}

export class EventCollection {
  readonly #reader: DocumentReader<EventRecord>;

  constructor(log: Logger) {
    this.#reader = documentReader('event', eventCodec, log);
  }

  async save(database: Db, records: readonly EventRecord[]): Promise<void> {
    if (records.length === 0) return;
    const documents = records.map((record) => toDocument(eventCodec.encode(record), ['at']) as EventDocument);
    try {
      await database.collection<EventDocument>('events').insertMany(documents, { ordered: false });
    } catch (error) {
      // It was stored by an earlier try whose answer got lost.
      if (!onlyDuplicates(error)) throw error;
    }
  }

  async list(database: Db, query: RecordQuery): Promise<EventRecord[]> {
    const { service, since, limit } = query;
    const filter = logFilter(
      { ...(service !== undefined && { service }), ...(since !== undefined && { since }) },
      EVENTS_KEPT_MS,
    );
    const found = database.collection('events').find(filter);
    const newestFirst = await found.sort({ at: -1, _id: -1 }).limit(limit).toArray();
    return this.#reader.readAll(newestFirst).reverse();
  }
}
