import type { Document } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { MongoStore } from '../../src/stores/mongo/mongo-store.ts';
import { mongoLimits } from '../support/samples/mongo-limits.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { stateStoreSuite, type StoreHarness } from './state-store-suite.ts';
import { ago, eventRecord, sampleRecord, serviceRecord, sessionRecord } from './state-store-suite/records.ts';
import { writeAndKill } from './write-and-kill.ts';
import { untilPasses } from '../support/until.ts';

const mongod = await mongodOrReason();

describe.skipIf('reason' in mongod)('MongoDB', () => {
  let set: ReplicaSet;
  beforeAll(async () => {
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary);
  });
  afterAll(() => set.stop());

  function storeOf(databaseName: string): MongoStore {
    const tools = { clock: new SystemClock(), log: pino({ level: 'silent' }) };
    return new MongoStore({ uri: set.uri, databaseName, limits: mongoLimits, ...tools });
  }

  stateStoreSuite('MongoDB', () => {
    const databaseName = set.uniqueName();
    const harness: StoreHarness = {
      open: () => storeOf(databaseName),
      shared: true,
      plant: async (shape) => {
        await set.client
          .db(databaseName)
          .collection<{ _id: string }>('services')
          .replaceOne({ _id: shape._id }, shape, { upsert: true });
      },
      writeAndKill: (records) => writeAndKill({ kind: 'mongo', uri: set.uri, databaseName }, records),
      dispose: async () => {
        await set.client.db(databaseName).dropDatabase();
      },
    };
    return Promise.resolve(harness);
  });

  describe('its database', () => {
    it('has the collections and the indexes that other programs rely on', async () => {
      const name = set.uniqueName();
      const store = storeOf(name);
      await store.start();
      const database = set.client.db(name);
      const keys = async (collection: string): Promise<Document[]> =>
        (await database.collection(collection).indexes()).map(({ key, expireAfterSeconds }) => ({
          ...key,
          ...(expireAfterSeconds !== undefined && { expireAfterSeconds }),
        }));
      expect(await keys('services')).toContainEqual({ status: 1 });
      expect(await keys('sessions')).toContainEqual({ expiresAt: 1, expireAfterSeconds: 0 });
      expect(await keys('sessions')).toContainEqual({ service: 1, instanceId: 1 });
      expect(await keys('events')).toContainEqual({ at: 1, expireAfterSeconds: 604_800 });
      expect(await keys('events')).toContainEqual({ service: 1, at: 1 });
      const [samples] = await database.listCollections({ name: 'samples' }).toArray();
      expect(samples).toMatchObject({ type: 'timeseries', options: { expireAfterSeconds: 86_400 } });
      await store.close();
    });

    it('has documents as the contract names their fields, with dates where documents end by them', async () => {
      const name = set.uniqueName();
      const store = storeOf(name);
      await store.start();
      await store.putService(serviceRecord('web'));
      await store.saveSessions([sessionRecord('a')]);
      await store.saveEvents([eventRecord('1')]);
      await store.saveSamples([sampleRecord()]);
      const read = (collection: string): Promise<Document | null> =>
        set.client.db(name).collection(collection).findOne();
      expect(await read('services')).toMatchObject({ _id: 'web', rev: 1, v: 1, updatedAt: expect.any(Date) as Date });
      const session = { _id: 'a', service: 'web', instanceId: 'web-1', expiresAt: expect.any(Date) as Date };
      expect(await read('sessions')).toMatchObject(session);
      expect(await read('events')).toMatchObject({
        specversion: '1.0',
        type: 'service.awake',
        at: expect.any(Date) as Date,
      });
      expect(await read('samples')).toMatchObject({ service: 'web', instance: 'web-1', cpu: 12.5, inFlight: 2 });
      await store.close();
    });

    it('goes on when a record is against the rules that somebody has made for it', async () => {
      const name = set.uniqueName();
      const store = storeOf(name);
      await store.start();
      await set.client.db(name).command({ collMod: 'events', validator: { type: 'service.awake' } });
      const strange = eventRecord('strange', { type: 'service.asleep' });
      await expect(store.saveEvents([strange])).rejects.toMatchObject({ code: 'record_refused' });
      expect(store.condition).toEqual({ up: true });
      await store.saveEvents([eventRecord('plain')]);
      await store.close();
    });

    it('ends what has expired by itself', async () => {
      const name = set.uniqueName();
      const store = storeOf(name);
      await store.start();
      await store.saveSessions([sessionRecord('gone', { expiresAt: ago(60_000) }), sessionRecord('here')]);
      await store.saveEvents([eventRecord('gone', { at: ago(8 * 24 * 3_600_000) }), eventRecord('here')]);
      const ids = async (collection: string): Promise<unknown[]> =>
        (await set.client.db(name).collection(collection).find().toArray()).map(({ _id }) => _id);
      await untilPasses(async () => expect(await ids('sessions')).toEqual(['here']));
      await untilPasses(async () => expect(await ids('events')).toHaveLength(1));
      await store.close();
    });
  });
});
