import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoreChange } from '../../src/fleet/state-store.ts';
import { Journal } from '../../src/fleet/records/journal.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { MongoStore } from '../../src/stores/mongo/mongo-store.ts';
import { eventRecord, sampleRecord, serviceRecord, sessionRecord } from '../contract/state-store-suite/records.ts';
import { mongoLimits } from '../support/samples/mongo-limits.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';

const mongod = await mongodOrReason();
const patience = { timeout: 30_000, interval: 50 };

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
    await vi.waitFor(() => expect(store.condition).toEqual({ up: true }), patience);
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
    await vi.waitFor(() => expect(store.condition).toMatchObject({ up: false }), patience);
    relay.severed = false;
    await vi.waitFor(async () => {
      const database = set.client.db(databaseName);
      expect(await database.collection('events').countDocuments()).toBe(51);
      expect(await database.collection('sessions').countDocuments()).toBe(10);
      expect(await database.collection('samples').countDocuments()).toBe(50);
    }, patience);
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
      await vi.waitFor(async () => expect(await samples.countDocuments()).toBeGreaterThan(round * 20 - 1), patience);
      relay.cut();
    }
    await vi.waitFor(async () => expect(await samples.countDocuments()).toBe(100), patience);
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
    await vi.waitFor(() => expect(seen.has('before')).toBe(true), patience);
    cut();
    await other.putService(serviceRecord('during'));
    relay.severed = false;
    await vi.waitFor(() => expect(seen.has('during')).toBe(true), patience);
    await other.putService(serviceRecord('after'));
    await vi.waitFor(() => expect(seen.has('after')).toBe(true), patience);
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
    await vi.waitFor(() => expect(changes).toContainEqual(expect.objectContaining({ kind: 'service' })), patience);
    changes.length = 0;
    cut();
    await services.insertOne({ ...serviceRecord('during'), ...{ _id: 'during', v: 1 } });
    const forgotten = await set.forgetHistory();
    relay.severed = false;
    await vi.waitUntil(forgotten, patience);
    await vi.waitFor(() => expect(changes).toContainEqual({ kind: 'reread' }), patience);
    expect((await store.listServices()).map(({ _id }) => _id)).toEqual(['before', 'during']);
    await services.updateOne({ _id: 'during' }, { $set: { rev: 9 } });
    await vi.waitFor(() => {
      const told = changes.flatMap((change) => (change.kind === 'service' ? [change.record] : []));
      expect(told).toContainEqual(expect.objectContaining({ _id: 'during', rev: 9 }));
    }, patience);
  });

  it('says what is wrong when it refuses the credentials, and repeats none of them', async () => {
    const store = makeStore((uri) => void (uri.password = 'wr%25ng-s3cret'));
    await store.start();
    await vi.waitFor(() => expect(told()).toHaveLength(1), patience);
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
