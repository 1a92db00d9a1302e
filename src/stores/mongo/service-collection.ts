import type { Collection, Db } from 'mongodb';
import type { ServiceRecord } from '../../fleet/state-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { serviceCodec, type Shape } from '../record-codec.ts';
import { documentReader, toDocument, type DocumentReader } from './documents.ts';
import { isDuplicate } from './duplicates.ts';

interface ServiceDocument extends Shape {
  _id: string;
}

export class ServiceCollection {
  readonly #reader: DocumentReader<ServiceRecord>;

  constructor(log: Logger) {
    this.#reader = documentReader('service', serviceCodec, log);
  }

  async put(database: Db, record: ServiceRecord): Promise<boolean> {
    const services = this.#of(database);
    const { _id, rev } = record;
    const document = toDocument(serviceCodec.encode(record), ['updatedAt']);
    const replaceOlder = async (): Promise<boolean> =>
      (await services.replaceOne({ _id, rev: { $lt: rev } }, document)).matchedCount > 0;
    if (await replaceOlder()) return true;
    try {
      await services.insertOne({ ...document, _id });
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    // It is there with a newer rev, or has been put there just now with an older one.
    if (await replaceOlder()) return true;
    const stored = await services.findOne({ _id });
    if (stored === null) return this.put(database, record);
    // A document that nobody can read must not hold the place against one that everybody can.
    if (this.#reader.read(stored)) return false;
    return (await services.replaceOne({ _id, rev: stored['rev'] }, document)).matchedCount > 0;
  }

  async get(database: Db, name: string): Promise<ServiceRecord | undefined> {
    const document = await this.#of(database).findOne({ _id: name });
    return document === null ? undefined : this.read(document);
  }

  async list(database: Db): Promise<ServiceRecord[]> {
    return this.#reader.readAll(await this.#of(database).find().sort({ _id: 1 }).toArray());
  }

  async remove(database: Db, name: string): Promise<void> {
    await this.#of(database).deleteOne({ _id: name });
  }

  read(document: object): ServiceRecord | undefined {
    return this.#reader.read(document);
  }

  #of(database: Db): Collection<ServiceDocument> {
    return database.collection<ServiceDocument>('services');
  }
}
