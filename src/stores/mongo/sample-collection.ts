import type { Db } from 'mongodb';
import { SAMPLES_KEPT_MS, type RecordQuery, type SampleRecord } from '../../fleet/state-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { sampleCodec } from '../record-codec.ts';
import { documentReader, toDocument, type DocumentReader } from './documents.ts';
import { logFilter } from './log-filter.ts';

/** A time series: MongoDB packs its documents into buckets, and knows no unique index on them. */
export class SampleCollection {
  readonly #reader: DocumentReader<SampleRecord>;
  /** Some of what is to be saved may be there already: the answer to an earlier try got lost. */
  #doubtful = false;

  constructor(log: Logger) {
    this.#reader = documentReader('sample', sampleCodec, log);
  }

  async save(database: Db, records: readonly SampleRecord[]): Promise<void> {
    const fresh = await this.#fresh(database, records);
    if (fresh.length === 0) return;
    this.#doubtful = true;
    const documents = fresh.map((record) => toDocument(sampleCodec.encode(record), ['at']));
    await database.collection('samples').insertMany(documents, { ordered: false });
    this.#doubtful = false;
  }

  async list(database: Db, query: RecordQuery): Promise<SampleRecord[]> {
    const found = database.collection('samples').find(logFilter(query, SAMPLES_KEPT_MS), { projection: { _id: 0 } });
    return this.#reader.readAll(await found.sort({ at: -1 }).limit(query.limit).toArray()).reverse();
  }

  async #fresh(database: Db, records: readonly SampleRecord[]): Promise<SampleRecord[]> {
    const unique = [...new Map(records.map((record) => [keyOf(record), record])).values()];
    if (!this.#doubtful || unique.length === 0) return unique;
    const instants = unique.map(({ at }) => Date.parse(at));
    const at = { $gte: new Date(Math.min(...instants)), $lte: new Date(Math.max(...instants)) };
    const service = { $in: [...new Set(unique.map((record) => record.service))] };
    const found = await database
      .collection('samples')
      .find({ service, at }, { projection: { _id: 0 } })
      .toArray();
    const stored = new Set(this.#reader.readAll(found).map(keyOf));
    return unique.filter((record) => !stored.has(keyOf(record)));
  }
}

function keyOf({ service, instance, at }: SampleRecord): string {
  return JSON.stringify([service, instance, at]);
}
