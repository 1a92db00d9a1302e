import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StoreChange } from '../../src/fleet/state-store.ts';
import { Journal } from '../../src/fleet/records/journal.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { MongoStore } from '../../src/stores/mongo/mongo-store.ts';
import { eventRecord, sampleRecord, serviceRecord, sessionRecord } from '../contract/state-store-suite/records.ts';
import { mongoLimits } from '../support/samples/mongo-limits.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';
import { until, untilPasses } from '../support/until.ts';

const mongod = await mongodOrReason();

describe.skipIf('reason' in mongod)('a MongoDB that goes away and comes back', () => {
  const credentials = { user: 'keeper', password: 'p%ss/w0rd' };
  let set: ReplicaSet;
  let relay: TcpRelay;
  let lines: string[];
  let databaseName: string;
  const opened: MongoStore[] = [];
  const clock = new SystemClock();
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) });

  beforeAll(async () => {
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary, { credentials });
  });
  afterAll(() => set.stop());

  beforeEach(async () => {
    lines = [];
    databaseName = set.uniqueName();
    relay = new TcpRelay(set.port);
    await relay.start();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await relay.close();
  });

  /** Through the relay: a direct connection does not ask the members for their addresses. */
  function makeStore(change: (uri: URL) => void = () => undefined): MongoStore {
    const uri = new URL(set.uri);
    uri.host = `127.0.0.1:${relay.port}`;
    uri.searchParams.delete('replicaSet');
    uri.searchParams.set('directConnection', 'true');
    change(uri);
    const limits = { ...mongoLimits, selectionTimeoutMs: 1_000 };
    const store = new MongoStore({ uri: uri.href, databaseName, limits, clock, log });
    opened.push(store);
    return store;
  }

  /** The lines that operators see of what the store says about itself. */
  function told(): string[] {
    return lines
      .map((line) => JSON.parse(line) as { level: number; msg: string })
      .filter(({ level }) => level >= 30)
      .map(({ msg }) => msg);
  }

  function cut(): void {
    relay.severed = true;
    relay.cut();
  }

  it('is waited for behind when it is away at the start', async () => {
    cut();
    const store = makeStore();
    const begunMs = performance.now();
    await store.start();
    expect(performance.now() - begunMs).toBeLessThan(15_000);
    expect(store.condition).toMatchObject({ up: false });
    await expect(store.listServices()).rejects.toMatchObject({ code: 'store_unavailable' });
    relay.severed = false;
    await untilPasses(() => expect(store.condition).toEqual({ up: true }));
    expect(await store.putService(serviceRecord('web'))).toBe(true);
    expect(told()).toEqual([expect.stringContaining('MongoDB cannot be used'), 'MongoDB answers']);
  });

  it('gets all that was handed over while it was away, once, and says one line for each change', async () => {
    const store = makeStore();
    await store.start();
    const journal = new Journal({ store, clock, log, capacity: 1_000 });
    await store.saveEvents([eventRecord('before')]);
    cut();
    for (let n = 0; n < 50; n += 1) {
      journal.addEvent(eventRecord(`during-${n}`));
      journal.addSession(sessionRecord(`session-${n % 10}`));
      journal.addSample(sampleRecord({ instance: `web-${n}` }));
    }
    await untilPasses(() => expect(store.condition).toMatchObject({ up: false }));
    relay.severed = false;
    await untilPasses(async () => {
      const database = set.client.db(databaseName);
      expect(await database.collection('events').countDocuments()).toBe(51);
      expect(await database.collection('sessions').countDocuments()).toBe(10);
      expect(await database.collection('samples').countDocuments()).toBe(50);
    });
    await journal.close();
    expect(await set.client.db(databaseName).collection('samples').countDocuments()).toBe(50);
    expect(told()).toEqual(['MongoDB answers', expect.stringContaining('cannot be used'), 'MongoDB answers']);
  });

  it('doubles nothing when only its answer got lost', async () => {
    const store = makeStore();
    await store.start();
    const journal = new Journal({ store, clock, log, capacity: 1_000 });
    const samples = set.client.db(databaseName).collection('samples');
    for (let round = 0; round < 5; round += 1) {
      for (let n = 0; n < 20; n += 1) journal.addSample(sampleRecord({ instance: `web-${round}-${n}` }));
      // Wherever in the exchange this falls.
      await untilPasses(async () => expect(await samples.countDocuments()).toBeGreaterThan(round * 20 - 1));
      relay.cut();
    }
    await untilPasses(async () => expect(await samples.countDocuments()).toBe(100));
    await journal.close();
    expect(await samples.countDocuments()).toBe(100);
  });

  it('tells who watches what changed while the watching was cut', async () => {
    const [store, other] = [
      makeStore(),
      new MongoStore({ uri: set.uri, databaseName, limits: mongoLimits, clock, log }),
    ];
    opened.push(other);
    await Promise.all([store.start(), other.start()]);
    const seen = new Set<string>();
    let rereads = 0;
    store.watch((change) => {
      if (change.kind === 'service') seen.add(change.record._id);
      if (change.kind === 'reread') rereads += 1;
    });
    await other.putService(serviceRecord('before'));
    await untilPasses(() => expect(seen.has('before')).toBe(true));
    cut();
    await other.putService(serviceRecord('during'));
    relay.severed = false;
    await untilPasses(() => expect(seen.has('during')).toBe(true));
    await other.putService(serviceRecord('after'));
    await untilPasses(() => expect(seen.has('after')).toBe(true));
    expect(rereads).toBeLessThanOrEqual(1);
  });

  it('is read anew when it does not remember what changed in the meantime', async () => {
    const store = makeStore();
    await store.start();
    const changes: StoreChange[] = [];
    store.watch((change) => void changes.push(change));
    const database = set.client.db(databaseName);
    const services = database.collection<{ _id: string }>('services');
    await store.putService(serviceRecord('before'));
    await untilPasses(() => expect(changes).toContainEqual(expect.objectContaining({ kind: 'service' })));
    changes.length = 0;
    cut();
    await services.insertOne({ ...serviceRecord('during'), ...{ _id: 'during', v: 1 } });
    const forgotten = await set.forgetHistory();
    relay.severed = false;
    await until(forgotten);
    await untilPasses(() => expect(changes).toContainEqual({ kind: 'reread' }));
    expect((await store.listServices()).map(({ _id }) => _id)).toEqual(['before', 'during']);
    await services.updateOne({ _id: 'during' }, { $set: { rev: 9 } });
    await untilPasses(() => {
      const told = changes.flatMap((change) => (change.kind === 'service' ? [change.record] : []));
      expect(told).toContainEqual(expect.objectContaining({ _id: 'during', rev: 9 }));
    });
  });

  it('says what is wrong when it refuses the credentials, and repeats none of them', async () => {
    const store = makeStore((uri) => void (uri.password = 'wr%25ng-s3cret'));
    await store.start();
    await untilPasses(() => expect(told()).toHaveLength(1));
    expect(store.condition).toMatchObject({ up: false, reason: expect.stringContaining('MONGO_DB_URI') as string });
    const everything = lines.join('') + JSON.stringify(store.condition);
    for (const secret of ['wr%ng-s3cret', 'wr%25ng-s3cret', credentials.password]) {
      expect(everything).not.toContain(secret);
    }
  });

  it('refuses a URI that is none without repeating it', () => {
    const uri = 'mongodb://user:hunter2@host:port/?replicaSet=';
    const make = (): MongoStore => new MongoStore({ uri, databaseName, limits: mongoLimits, clock, log });
    expect(make).toThrow(expect.objectContaining({ code: 'uri_refused' }) as Error);
    expect(make).not.toThrow(/hunter2/);
  });
});
