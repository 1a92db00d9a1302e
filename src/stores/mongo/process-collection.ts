import type { Collection, Db } from 'mongodb';
import type { ProcessRecord } from '../../fleet/state-store.ts';

interface ProcessDocument {
  _id: string;
  inFlight: ProcessRecord['inFlight'];
  expiresAt: Date;
}

export class ProcessCollection {
  async put(database: Db, { _id, inFlight }: ProcessRecord, ttlMs: number): Promise<void> {
    const set = { inFlight: { $literal: inFlight }, expiresAt: { $add: ['$$NOW', ttlMs] } };
    await this.#of(database).updateOne({ _id }, [{ $unset: 'inFlight' }, { $set: set }], { upsert: true });
  }

  async list(database: Db): Promise<ProcessRecord[]> {
    const living = { $expr: { $gt: ['$expiresAt', '$$NOW'] } };
    const found = await this.#of(database).find(living).sort({ _id: 1 }).toArray();
    return found.map(({ _id, inFlight }) => ({ _id, inFlight }));
  }

  #of(database: Db): Collection<ProcessDocument> {
    return database.collection<ProcessDocument>('processes');
  }
}
