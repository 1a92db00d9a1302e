import type { Collection, Db } from 'mongodb';
import type { ProcessRecord } from '../../fleet/state-store.ts';

type Word = Omit<ProcessRecord, '_id'>;

interface ProcessDocument {
  _id: string;
  word: Word;
  expiresAt: Date;
}

export class ProcessCollection {
  async put(database: Db, { _id, ...word }: ProcessRecord, ttlMs: number): Promise<void> {
    const set = { word: { $literal: word }, expiresAt: { $add: ['$$NOW', ttlMs] } };
    // What is set to an object would be merged with what is there.
    await this.#of(database).updateOne({ _id }, [{ $unset: 'word' }, { $set: set }], { upsert: true });
  }

  async list(database: Db): Promise<ProcessRecord[]> {
    const living = { $expr: { $gt: ['$expiresAt', '$$NOW'] } };
    const found = await this.#of(database).find(living).sort({ _id: 1 }).toArray();
    return found.flatMap((document) => this.read(document) ?? []);
  }

  /** Undefined for one that another version of Reveille has written. */
  read(document: object): ProcessRecord | undefined {
    const { _id, word } = document as Partial<ProcessDocument>;
    return _id === undefined || word === undefined ? undefined : { _id, ...word };
  }

  #of(database: Db): Collection<ProcessDocument> {
    return database.collection<ProcessDocument>('processes');
  }
}
