import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthAnswer } from '../../src/management/contract.ts';
import { SteadyLoad } from '../support/clients/steady-load.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { SPARING, until, untilPasses } from '../support/until.ts';

const mongod = await mongodOrReason();
const SERVER = `require('node:http').createServer((_, answer) => answer.end('served')).listen(process.env.PORT)`;
const ROOT = { user: 'root', password: 'r00t' };
const KEEPER = { user: 'keeper', pwd: 'hunter2-secret' };

describe.skipIf('reason' in mongod)('a daemon whose MongoDB is in trouble', () => {
  let set: ReplicaSet;
  let relay: TcpRelay;
  let daemon: Daemon;
  let databaseName: string;

  beforeAll(async () => {
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary, { credentials: ROOT });
    relay = new TcpRelay(set.port);
    await relay.start();
    databaseName = set.uniqueName();
    const { user, pwd } = KEEPER;
    daemon = await Daemon.make({
      services: { web: { routes: ['web'], process: { command: [process.execPath, '-e', SERVER] } } },
      env: {
        RUNTIME: 'process',
        MONGO_DB_URI: `mongodb://${user}:${pwd}@127.0.0.1:${relay.port}/?directConnection=true&authSource=admin`,
        MONGO_DB_NAME: databaseName,
        MONGO_SELECTION_TIMEOUT: '2s',
        MONGO_ANSWER_TIMEOUT: '4s',
        MONGO_CONNECT_TIMEOUT: '3s',
      },
      withoutDocker: true,
    });
  });

  afterAll(async () => {
    set.thaw(set.port);
    await daemon.dispose();
    await relay.close();
    await set.stop();
  });

  const health = async (): Promise<HealthAnswer> =>
    (await daemon.client.ask(daemon.host('proxy'), { path: '/api/health' })).json<HealthAnswer>();
  /** The changes that operators read of, since they were asked for last. */
  let heard = 0;
  function told(): string[] {
    const all = daemon.log.filter(({ level, msg }) => Number(level) >= 30 && msg.startsWith('MongoDB'));
    return all.slice(heard, (heard = all.length)).map(({ msg }) => msg);
  }

  async function degraded(why: string | RegExp): Promise<void> {
    await until(async () => (await health()).problems.some((problem) => problem.match(why)), SPARING);
    expect(await health()).toMatchObject({ status: 'degraded', problems: [expect.stringContaining('mongo store')] });
    expect(told()).toEqual([expect.stringContaining('MongoDB cannot be used')]);
  }

  async function healthy(): Promise<void> {
    await until(async () => (await health()).status === 'ok', SPARING);
    expect(told()).toEqual(['MongoDB answers']);
  }

  async function sleepAndServe(): Promise<void> {
    expect((await daemon.api('POST', '/services/web/sleep')).status).toBe(200);
    const answer = await daemon.ask('web');
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: 'served' });
  }

  async function allStored(): Promise<void> {
    const events = (): string[] =>
      daemon.log.flatMap(({ event, service }) => (service === 'web' && event !== undefined ? [event] : []));
    await untilPasses(async () => {
      const found = await set.client.db(databaseName).collection('events').find({ service: 'web' }).toArray();
      expect(found.map(({ type }) => String(type)).sort()).toEqual(events().sort());
    }, SPARING);
  }

  function admin(command: Record<string, unknown>): Promise<unknown> {
    return set.client.db('admin').command(command);
  }

  async function makeUser(): Promise<void> {
    const { user, pwd } = KEEPER;
    await admin({ createUser: user, pwd, roles: [{ role: 'readWrite', db: databaseName }] });
  }

  it('that is frozen at boot starts, serves, and says why it is degraded', async () => {
    await makeUser();
    set.freeze(set.port);
    const beganMs = performance.now();
    await daemon.boot();
    console.log(`seen: up after ${Math.round(performance.now() - beganMs)} ms`);
    expect((await daemon.ask('web')).body).toBe('served');
    await degraded(/mongo store takes nothing: /);
    set.thaw(set.port);
    await healthy();
    await allStored();
  });

  it('that is slow serves at its own pace, and keeps everything', async () => {
    relay.delayMs = 250;
    const load = new SteadyLoad(daemon.client, daemon.host('web'), 20);
    await sleepAndServe();
    await allStored();
    const { sent, failures } = await load.stop();
    expect(sent).toBeGreaterThan(10);
    expect(failures).toEqual([]);
    expect((await health()).status).toBe('ok');
    expect(told()).toEqual([]);
    relay.delayMs = 0;
  });

  it('that freezes serves, says why, and keeps everything once', async () => {
    const load = new SteadyLoad(daemon.client, daemon.host('web'), 50);
    set.freeze(set.port);
    const beganMs = performance.now();
    await sleepAndServe();
    await degraded(/mongo store takes nothing: /);
    console.log(`seen: degraded ${Math.round(performance.now() - beganMs)} ms after the freeze`);
    await sleepAndServe();
    set.thaw(set.port);
    await healthy();
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
    await allStored();
  });

  it('that refuses the user serves, says what to do without the password, and recovers', async () => {
    await admin({ dropUser: KEEPER.user });
    await sleepAndServe();
    await degraded(/MONGO_DB_URI/);
    await sleepAndServe();
    await makeUser();
    await healthy();
    await allStored();
    expect(daemon.output).not.toContain(KEEPER.pwd);
  });

  it('ends in order although MongoDB does not answer', async () => {
    set.freeze(set.port);
    const beganMs = performance.now();
    expect(await daemon.end('SIGTERM')).toBe(0);
    console.log(`seen: ended after ${Math.round(performance.now() - beganMs)} ms`);
    set.thaw(set.port);
  });
});
