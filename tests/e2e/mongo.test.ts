import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';
import { SPARING, until, untilPasses } from '../support/until.ts';

const mongod = await mongodOrReason();
const hasDocker = await dockerAvailable();

describe.skipIf(!hasDocker || 'reason' in mongod)('a daemon whose state is in MongoDB', () => {
  let set: ReplicaSet;
  let relay: TcpRelay;
  let one: Daemon;
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
  });

  afterAll(async () => {
    await one.dispose();
    await relay.close();
    await set.stop();
  });

  async function health(): Promise<{ status: string; problems: string[] }> {
    return (await one.api('GET', '/health')).json();
  }

  it('wakes and serves while MongoDB is away, and says so', async () => {
    expect((await one.ask('web')).status).toBe(200);
    await untilPasses(async () => {
      expect(await health()).toMatchObject({
        status: 'degraded',
        problems: [expect.stringContaining('the mongo store takes nothing')],
      });
    }, SPARING);
  });

  it('writes what it knows when MongoDB is there, once', async () => {
    relay.severed = false;
    const database = set.client.db(databaseName);
    await untilPasses(async () => {
      expect(await database.collection('services').findOne()).toMatchObject({ _id: 'web', status: 'awake' });
      expect(await database.collection('events').countDocuments({ type: 'service.awake' })).toBe(1);
    });
    await until(async () => (await health()).status === 'ok', SPARING);
    expect(one.log.filter(({ msg }) => msg.startsWith('MongoDB'))).toHaveLength(2);
  });
});
