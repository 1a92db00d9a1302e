import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthAnswer } from '../../src/management/contract.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { MongoStore } from '../../src/stores/mongo/mongo-store.ts';
import { serviceRecord } from '../contract/state-store-suite/records.ts';
import { SteadyLoad } from '../support/clients/steady-load.ts';
import { mongoLimits } from '../support/samples/mongo-limits.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { until, untilPasses } from '../support/until.ts';

const mongod = await mongodOrReason();
const PATIENCE = { timeout: 100_000, interval: 200 };
const PER_SECOND = 60;
const SERVER = `require('node:http').createServer((_, answer) => answer.end('served')).listen(process.env.PORT)`;

// A member that syncs from a frozen one takes up to half a minute to find another.
const OPTIONS = { timeout: 150_000 };

describe.skipIf('reason' in mongod)('a daemon under load whose store is a replica set of three', OPTIONS, () => {
  let set: ReplicaSet;
  let daemon: Daemon;
  let databaseName: string;
  let load: SteadyLoad;
  let napping: NodeJS.Timeout;
  let writer: Writer;
  const naps: Promise<void>[] = [];
  const answers: number[] = [];
  const healths: HealthAnswer[] = [];

  beforeAll(async () => {
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary, { members: 3 });
    databaseName = set.uniqueName();
    const process = { command: [globalThis.process.execPath, '-e', SERVER] };
    daemon = await Daemon.start({
      services: {
        web: { routes: ['web'], process, sticky: true },
        nap: { routes: ['nap'], process, sleep: { after: '1s' } },
      },
      env: { RUNTIME: 'process', MONGO_DB_URI: set.uri, MONGO_DB_NAME: databaseName },
      withoutDocker: true,
    });
    await until(() => daemon.log.some(({ msg }) => msg.startsWith('this process leads')), PATIENCE);
    expect((await daemon.ask('web')).status).toBe(200);
    load = new SteadyLoad(daemon.client, daemon.host('web'), PER_SECOND);
    napping = setInterval(() => naps.push(napAndAsk()), 2_000);
    writer = await Writer.start(set);
  });

  afterAll(async () => {
    clearInterval(napping);
    await writer.stop();
    await daemon.dispose();
    await set.stop();
  });

  /** Wakes what sleeps as soon as nobody calls, so that there is always something to be remembered. */
  async function napAndAsk(): Promise<void> {
    answers.push((await daemon.ask('nap')).status);
    healths.push((await daemon.client.ask(daemon.host('proxy'), { path: '/api/health' })).json<HealthAnswer>());
  }

  const events = (): string[] =>
    daemon.log.flatMap(({ event, service }) => (service === 'nap' && event !== undefined ? [event] : [])).sort();

  async function storedEvents(): Promise<string[]> {
    const found = await set.client.db(databaseName).collection('events').find({ service: 'nap' }).toArray();
    return found.map(({ type }) => String(type)).sort();
  }

  /** Resolves when what happens from now on is stored. */
  async function goesOn(): Promise<void> {
    const now = new Date();
    const stored = set.client.db(databaseName).collection('events');
    await until(async () => (await stored.countDocuments({ at: { $gt: now } })) > 0, PATIENCE);
  }

  it('does not notice that the primary steps down', async () => {
    await goesOn();
    const before = await set.primary();
    await set.stepDown();
    await set.otherPrimaryThan(before);
    await goesOn();
  });

  it('goes on when the primary freezes, and when it is back', async () => {
    const frozen = await set.primary();
    set.freeze(frozen);
    try {
      await set.otherPrimaryThan(frozen);
      await goesOn();
    } finally {
      set.thaw(frozen);
    }
    await goesOn();
  });

  it('goes on when the primary is killed', async () => {
    const before = await set.primary();
    await set.killPrimary();
    await set.otherPrimaryThan(before);
    await goesOn();
  });

  it('failed no request, told what was wrong if anything was, and remembers everything once', async () => {
    clearInterval(napping);
    await Promise.all(naps);
    const { sent, failures } = await load.stop();
    const troubled = healths.filter(({ status }) => status !== 'ok');
    console.log(
      `seen: ${sent} requests, ${failures.length} failed; health ${healths.length} times, ${troubled.length} degraded`,
    );
    expect(failures).toEqual([]);
    expect(new Set(answers)).toEqual(new Set([200]));
    for (const { problems } of troubled)
      expect(problems).toEqual([expect.stringContaining('mongo store takes nothing')]);
    const database = set.client.db(databaseName);
    await untilPasses(async () => {
      expect(await storedEvents()).toEqual(events());
      // Nobody sends a cookie, and one more has asked first.
      expect(await database.collection('sessions').countDocuments()).toBe(sent + 1);
      expect(await database.collection('services').findOne({ _id: 'nap' as never })).toMatchObject({
        status: 'asleep',
      });
    }, PATIENCE);
    const lines = daemon.log.filter(({ msg }) => msg.startsWith('MongoDB')).map(({ msg }) => msg.slice(0, 15));
    expect(lines).toEqual(lines.map((_, n) => (n % 2 === 0 ? 'MongoDB answers' : 'MongoDB cannot ')));
    expect(lines.at(-1)).toBe('MongoDB answers');
  });

  it('lost no write that was acknowledged', async () => {
    const { acknowledged, stored } = await writer.stop();
    expect(acknowledged).toBeGreaterThan(0);
    expect(stored).toBeGreaterThanOrEqual(acknowledged);
  });
});

/** Writes a record again and again, each time with a greater rev, and knows the last that was acknowledged. */
class Writer {
  readonly #store: MongoStore;
  readonly #done: Promise<void>;
  #stopped: Promise<{ acknowledged: number; stored: number }> | undefined;
  #over = false;
  #acknowledged = 0;

  private constructor(store: MongoStore) {
    this.#store = store;
    this.#done = this.#write();
  }

  static async start(set: ReplicaSet): Promise<Writer> {
    const tools = { clock: new SystemClock(), log: pino({ level: 'silent' }) };
    const store = new MongoStore({ uri: set.uri, databaseName: set.uniqueName(), limits: mongoLimits, ...tools });
    await store.start();
    return new Writer(store);
  }

  stop(): Promise<{ acknowledged: number; stored: number }> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<{ acknowledged: number; stored: number }> {
    this.#over = true;
    await this.#done;
    const stored = (await this.#store.getService('web'))?.rev ?? 0;
    await this.#store.close();
    return { acknowledged: this.#acknowledged, stored };
  }

  async #write(): Promise<void> {
    for (let rev = 1; !this.#over; rev += 1) {
      const stored = await this.#store.putService(serviceRecord('web', { rev })).catch(() => false);
      if (stored) this.#acknowledged = rev;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
