import { MongoServerError, type Db } from 'mongodb';
import { EVENTS_KEPT_MS, SAMPLES_KEPT_MS } from '../../fleet/state-store.ts';

const NAMESPACE_EXISTS = 48;

/** Makes the collections and their indexes where they are missing, and proves that a majority takes writes. */
export async function prepareDatabase(database: Db): Promise<void> {
  await makeSamples(database);
  await Promise.all([
    database.collection('services').createIndexes([{ key: { status: 1 } }]),
    database
      .collection('sessions')
      .createIndexes([{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }, { key: { service: 1, instanceId: 1 } }]),
    database.collection('processes').createIndexes([{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }]),
    database
      .collection('events')
      .createIndexes([{ key: { at: 1 }, expireAfterSeconds: EVENTS_KEPT_MS / 1000 }, { key: { service: 1, at: 1 } }]),
  ]);
  await database
    .collection<{ _id: string }>('leases')
    .updateOne({ _id: 'probe' }, { $set: { at: new Date() } }, { upsert: true });
}

async function makeSamples(database: Db): Promise<void> {
  const [known] = await database.listCollections({ name: 'samples' }, { nameOnly: true }).toArray();
  if (known) return;
  try {
    await database.createCollection('samples', {
      timeseries: { timeField: 'at', metaField: 'service', granularity: 'seconds' },
      expireAfterSeconds: SAMPLES_KEPT_MS / 1000,
    });
  } catch (error) {
    // Another process was faster.
    if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
  }
}
