import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';

const mongod = await mongodOrReason();
const hasDocker = await dockerAvailable();
const patience = { timeout: 30_000, interval: 50 };

describe.skipIf(!hasDocker || 'reason' in mongod)('a daemon whose state is in MongoDB', () => {
  let set: ReplicaSet;
  let relay: TcpRelay;
  let one: Daemon;
  let two: Daemon | undefined;
  let databaseName: string;

  beforeAll(async () => {
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary);
    databaseName = set.uniqueName();
    relay = new TcpRelay(set.port);
    await relay.start();
    relay.severed = true;
    const services = { web: { routes: ['web'], image: await fixtureImage() } };
    const MONGO_DB_URI = `mongodb://127.0.0.1:${relay.port}/?directConnection=true`;
    one = await Daemon.start({
      services,
      env: { MONGO_DB_URI, MONGO_DB_NAME: databaseName, MONGO_SELECTION_TIMEOUT: '1s' },
    });
    const { PROJECT = '', DOMAIN = '', DOCKER_NETWORK = '' } = one.env;
    const env = { PROJECT, DOMAIN, DOCKER_NETWORK, MONGO_DB_URI: set.uri, MONGO_DB_NAME: databaseName };
    two = await Daemon.make({ services, env });
  });

  afterAll(async () => {
    await two?.dispose();
    await one.dispose();
    await relay.close();
    await set.stop();
  });

  async function health(): Promise<{ status: string; problems: string[] }> {
    return (await one.api('GET', '/health')).json();
  }

  it('wakes and serves while MongoDB is away, and says so', async () => {
    expect((await one.ask('web')).status).toBe(200);
    await vi.waitFor(async () => {
      expect(await health()).toMatchObject({
        status: 'degraded',
        problems: [expect.stringContaining('the mongo store takes nothing')],
      });
    }, patience);
  });

  it('writes what it knows when MongoDB is there, once', async () => {
    relay.severed = false;
    const database = set.client.db(databaseName);
    await vi.waitFor(async () => {
      expect(await database.collection('services').findOne()).toMatchObject({ _id: 'web', status: 'awake' });
      expect(await database.collection('events').countDocuments({ type: 'service.awake' })).toBe(1);
    }, patience);
    expect(await health()).toMatchObject({ status: 'ok' });
    expect(one.log.filter(({ msg }) => msg.startsWith('MongoDB'))).toHaveLength(2);
  });

  it('shares its instances with a second daemon, which takes over within ten seconds of a kill -9', async () => {
    await two?.boot();
    const answer = await two?.client.ask(one.host('web'));
    expect(answer?.json()['instance']).toBe((await one.ask('web')).json()['instance']);
    const leads = (daemon: Daemon | undefined): boolean | undefined =>
      daemon?.log.some(({ msg }) => msg.startsWith('this process leads'));
    expect(leads(one)).toBe(true);
    expect(leads(two)).toBe(false);

    const killedMs = performance.now();
    await one.end('SIGKILL');
    await vi.waitFor(() => expect(leads(two)).toBe(true), { timeout: 15_000, interval: 20 });
    const tookMs = performance.now() - killedMs;
    console.log(`takeover ${Math.round(tookMs)} ms after kill -9`);
    expect(tookMs).toBeLessThan(10_000);
    expect((await two?.client.ask(one.host('web')))?.status).toBe(200);
  });
});
