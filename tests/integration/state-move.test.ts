import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run-cli.ts';
import type { StateStore } from '../../src/fleet/state-store.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { EmbeddedStore } from '../../src/stores/embedded/embedded-store.ts';
import { MongoStore } from '../../src/stores/mongo/mongo-store.ts';
import { eventRecord, sampleRecord, serviceRecord, sessionRecord } from '../contract/state-store-suite/records.ts';
import { mongoLimits } from '../support/samples/mongo-limits.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';

const mongod = await mongodOrReason();
const all = { limit: 1_000 };

describe('reveille state', () => {
  let folder: string;
  let set: ReplicaSet | undefined;
  const tools = { clock: new SystemClock(), log: pino({ level: 'silent' }) };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reveille-state-'));
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary);
  });
  afterAll(async () => {
    await set?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function reveille(
    args: string[],
    environment: Record<string, string>,
  ): Promise<{ code: number; text: string }> {
    let text = '';
    const write = (part: string): unknown => (text += part);
    const context = { environment, folder, stdout: { write }, stderr: { write }, exitCode: 0 };
    const code = await runCli(args, context);
    return { code, text };
  }

  async function using<T>(store: StateStore, work: (store: StateStore) => Promise<T>): Promise<T> {
    await store.start();
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  const records = {
    services: [serviceRecord('api', { rev: 3 }), serviceRecord('web', { rev: 7 })],
    sessions: [sessionRecord('a')],
    events: [eventRecord('1'), eventRecord('2')],
    samples: [sampleRecord(), sampleRecord({ instance: 'web-2' })],
  };

  async function fill(store: StateStore): Promise<void> {
    for (const record of records.services) await store.putService(record);
    await store.saveSessions(records.sessions);
    await store.saveEvents(records.events);
    await store.saveSamples(records.samples);
  }

  async function contents(store: StateStore): Promise<unknown> {
    const samples = await store.listSamples(all);
    return {
      services: await store.listServices(),
      sessions: await store.listSessions(all),
      events: await store.listEvents(all),
      samples: samples.sort((a, b) => a.instance.localeCompare(b.instance)),
    };
  }

  it.skipIf('reason' in mongod)('moves everything from the embedded store to MongoDB and back, once', async () => {
    const databaseName = set?.uniqueName() ?? '';
    const mongo = { MONGO_DB_URI: set?.uri ?? '', MONGO_DB_NAME: databaseName };
    const mongoStore = (): MongoStore =>
      new MongoStore({ uri: mongo.MONGO_DB_URI, databaseName, limits: mongoLimits, ...tools });
    await using(new EmbeddedStore({ stateDir: join(folder, 'one'), ...tools }), fill);

    expect(await reveille(['state', 'export', 'one.jsonl'], { STATE_DIR: 'one' })).toMatchObject({
      code: 0,
      text: '2 services, 1 sessions, 2 events, 2 samples written to one.jsonl\n',
    });
    expect((await stat(join(folder, 'one.jsonl'))).mode & 0o077).toBe(0);
    for (const older of [0, 2]) {
      const { code, text } = await reveille(['--json', 'state', 'import', 'one.jsonl'], mongo);
      expect({ code, ...(JSON.parse(text) as object) }).toMatchObject({ code: 0, older });
    }
    expect(await using(mongoStore(), contents)).toEqual(records);

    await reveille(['state', 'export', 'two.jsonl'], mongo);
    await reveille(['state', 'import', 'two.jsonl'], { STATE_DIR: 'two' });
    expect(await using(new EmbeddedStore({ stateDir: join(folder, 'two'), ...tools }), contents)).toEqual(records);
    expect(await readFile(join(folder, 'two.jsonl'), 'utf8')).toContain('"kind":"service"');
  });

  it('refuses a file that is none, by its line, and stores nothing of it', async () => {
    const good = JSON.stringify({ kind: 'service', record: { v: 1, ...serviceRecord('web') } });
    await writeFile(join(folder, 'bad.jsonl'), `${good}\n{"kind":"service","record":{"v":1}}\n`);
    const { code, text } = await reveille(['state', 'import', 'bad.jsonl'], { STATE_DIR: 'three' });
    expect(code).toBe(1);
    expect(text).toContain('Line 2');
    expect(await using(new EmbeddedStore({ stateDir: join(folder, 'three'), ...tools }), contents)).toMatchObject({
      services: [],
    });
  });

  it('says that a daemon has the embedded store', async () => {
    await using(new EmbeddedStore({ stateDir: join(folder, 'four'), ...tools }), async () => {
      const { code, text } = await reveille(['state', 'export', 'x'], { STATE_DIR: 'four' });
      expect(code).toBe(1);
      expect(text).toContain('Another process');
    });
  });
});
