import type { AnyBulkWriteOperation, Collection, Db, Document } from 'mongodb';
import type { RecordQuery, SessionRecord } from '../../fleet/state-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { sessionCodec, type Shape } from '../record-codec.ts';
import { documentReader, toDocument, type DocumentReader } from './documents.ts';
import { onlyDuplicates } from './duplicates.ts';

interface SessionDocument extends Shape {
  _id: string;
}

const INSTANTS = ['createdAt', 'lastSeenAt', 'expiresAt'];

export class SessionCollection {
  readonly #reader: DocumentReader<SessionRecord>;

  constructor(log: Logger) {
    this.#reader = documentReader('session', sessionCodec, log);
  }

  async save(database: Db, records: readonly SessionRecord[]): Promise<void> {
    if (records.length === 0) return;
    const operations = records.map(upsert);
    try {
      await this.#of(database).bulkWrite(operations, { ordered: false });
    } catch (error) {
      // Another process has just made one of them: now it is an update.
      if (!onlyDuplicates(error)) throw error;
      await this.#of(database).bulkWrite(operations, { ordered: false });
    }
  }

  async list(database: Db, { service, instance, since, limit }: RecordQuery): Promise<SessionRecord[]> {
    const filter = {
      expiresAt: { $gt: new Date() },
      ...(service !== undefined && { service }),
      ...(instance !== undefined && { instanceId: instance }),
      ...(since !== undefined && { lastSeenAt: { $gte: new Date(since) } }),
    };
    const found = this.#of(database).find(filter).sort({ lastSeenAt: -1 }).limit(limit);
    return this.#reader.readAll(await found.toArray());
  }

  async count(database: Db, service: string): Promise<Map<string, number>> {
    const groups = await this.#of(database)
      .aggregate<{ _id: string; count: number }>([
        { $match: { service, expiresAt: { $gt: new Date() } } },
        { $group: { _id: '$instanceId', count: { $sum: 1 } } },
      ])
      .toArray();
    return new Map(groups.map(({ _id, count }) => [_id, count]));
  }

  read(document: object): SessionRecord | undefined {
    return this.#reader.read(document);
  }

  #of(database: Db): Collection<SessionDocument> {
    return database.collection<SessionDocument>('sessions');
  }
}

/** What was seen last wins, whatever the order in which two processes write; the first `createdAt` stays. */
function upsert(record: SessionRecord): AnyBulkWriteOperation<SessionDocument> {
  const { _id, ...fields } = toDocument(sessionCodec.encode(record), INSTANTS);
  const newer = { $gte: [fields['lastSeenAt'], { $ifNull: ['$lastSeenAt', new Date(0)] }] };
  const { createdAt, ...latest } = fields;
  const set: Document = Object.fromEntries(
    Object.entries(latest).map(([field, value]) => [field, { $cond: [newer, { $literal: value }, `$${field}`] }]),
  );
  const update = [{ $set: { ...set, createdAt: { $min: ['$createdAt', createdAt] } } }];
  return { updateOne: { filter: { _id: String(_id) }, update, upsert: true } };
}
