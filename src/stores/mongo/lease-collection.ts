import type { Collection, Db } from 'mongodb';
import type { Lease } from '../../fleet/state-store.ts';
import { isDuplicate } from './duplicates.ts';

interface LeaseDocument {
  _id: string;
  holder: string;
  term: number;
  expiresAt: Date;
}

interface Claimed extends LeaseDocument {
  readonly now: Date;
}

/** All by the clock of the server: those of two processes may differ. */
export class LeaseCollection {
  async claim(database: Db, name: string, holder: string, ttlMs: number): Promise<Lease> {
    const mine = { $eq: ['$holder', { $literal: holder }] };
    const free = { $lte: [{ $ifNull: ['$expiresAt', new Date(0)] }, '$$NOW'] };
    const term = { $ifNull: ['$term', 0] };
    const taken = { $not: [{ $or: [mine, free] }] };
    const set = {
      holder: { $cond: [taken, '$holder', { $literal: holder }] },
      term: { $cond: [{ $or: [taken, mine] }, term, { $add: [term, 1] }] },
      expiresAt: { $cond: [taken, '$expiresAt', { $add: ['$$NOW', ttlMs] }] },
      now: '$$NOW',
    };
    const claim = (): Promise<Claimed | null> =>
      this.#of(database).findOneAndUpdate({ _id: name }, [{ $set: set }], { upsert: true, returnDocument: 'after' });
    // Of two that make the lease at once one is told that it is there already; now it is.
    const claimed = await claim().catch((error: unknown) => {
      if (!isDuplicate(error)) throw error;
      return claim();
    });
    if (!claimed) throw new Error(`the lease ${name} is neither free nor taken`);
    const remainingMs = claimed.expiresAt.getTime() - claimed.now.getTime();
    return { holder: claimed.holder, term: claimed.term, remainingMs };
  }

  async release(database: Db, name: string, holder: string): Promise<void> {
    await this.#of(database).updateOne({ _id: name, holder }, { $set: { holder: '', expiresAt: new Date(0) } });
  }

  #of(database: Db): Collection<Claimed> {
    return database.collection<Claimed>('leases');
  }
}
