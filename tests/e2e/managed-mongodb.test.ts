import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { localhostLookup } from '../../src/lib/localhost-lookup.ts';
import type { HealthAnswer } from '../../src/management/contract.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable } from '../support/servers/docker.ts';
import { mongodbImage } from '../support/servers/mongodb-image.ts';
import { mongodOrReason } from '../support/servers/mongod.ts';
import { mongoshArchive } from '../support/servers/mongosh.ts';
import { freePort } from '../../src/lib/free-port.ts';
import { SPARING, until } from '../support/until.ts';

const mongod = await mongodOrReason();
const shell = await mongoshArchive().catch((error: unknown) => String(error));
if (!shell.endsWith('.tar')) console.warn(`skipped: tests of a managed MongoDB, for there is no mongosh (${shell})`);
const ready = 'binary' in mongod && shell.endsWith('.tar') && (await dockerAvailable());
const PATIENCE = { ...SPARING, timeout: 90_000 };

describe.skipIf(!ready)('a MongoDB of the manifest', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  /** As the shipped manifest has it, but with an image that needs no registry and a port of our own. */
  async function start(env: (uri: string) => Record<string, string>): Promise<{ daemon: Daemon; uri: string }> {
    const image = await mongodbImage('binary' in mongod ? mongod.binary : '');
    const port = await freePort();
    const uri = `mongodb://mongoadmin:secret@localhost:${port}/?replicaSet=rs0`;
    const mongodb = {
      ...{ image, pull: 'never', port, replicaSet: 'rs0', publish: [`127.0.0.1:${port}:${port}`] },
      ...{ volumes: ['mongodb-data:/data/db'], sleep: false, wake: { timeout: '90s' } },
    };
    // Another container, with the URI that such a one would be given.
    const inside = (host: string): string => `mongodb://mongoadmin:secret@${host}:${port}/?replicaSet=rs0`;
    const insert = "db.getSiblingDB('shop').orders.insertOne({ from: 'container' })";
    const visitor = (host: (domain: string) => string, daemon: Daemon): Record<string, unknown> => ({
      ...{ image, pull: 'never', job: true, dependsOn: ['mongodb'], user: 'mongodb', wake: { timeout: '90s' } },
      command: ['mongosh', '--quiet', '--norc', inside(host(daemon.domain)), '--eval', insert],
    });
    const daemon = await Daemon.make({ env: env(uri) });
    ends.push(() => daemon.dispose());
    await daemon.writeManifest({
      mongodb,
      short: visitor(() => 'mongodb', daemon),
      long: visitor((domain) => `mongodb.${domain}`, daemon),
    });
    await daemon.boot();
    return { daemon, uri };
  }

  async function client(uri: string): Promise<MongoClient> {
    const made = await MongoClient.connect(uri, { lookup: localhostLookup, serverSelectionTimeoutMS: 30_000 });
    ends.push(() => made.close());
    return made;
  }

  const froms = async (database: MongoClient): Promise<unknown[]> =>
    (await database.db('shop').collection('orders').find().toArray()).map(({ from }) => from as unknown);

  it('is a replica set that one URI leads to from here and from containers, and keeps its data when it is removed', async () => {
    const { daemon, uri } = await start(() => ({}));
    for (const job of ['short', 'long']) {
      const { status, body } = await daemon.api('POST', `/services/${job}/wake`);
      expect([status, job, status === 200 ? '' : body]).toEqual([200, job, '']);
    }
    const first = await client(uri);
    await first.db('shop').collection('orders').insertOne({ from: 'host' });
    expect(await froms(first)).toEqual(['container', 'container', 'host']);
    await expect(client(uri.replace('secret', 'wrong'))).rejects.toThrow(/auth/i);
    await first.close();

    await daemon.api('POST', '/services/mongodb/sleep', { strategy: 'remove' });
    expect(await daemon.containers.list('mongodb')).toEqual([]);
    await daemon.api('POST', '/services/mongodb/wake');

    expect(await froms(await client(uri))).toEqual(['container', 'container', 'host']);
    expect(daemon.output).not.toContain('secret@');
  }, 240_000);

  it('is woken at boot where Reveille keeps its own state in it, found again after a restart, and brought back when it is removed', async () => {
    const { daemon, uri } = await start((own) => ({ MONGO_DB_URI: own }));
    const health = async (): Promise<HealthAnswer> => (await daemon.api('GET', '/health')).json<HealthAnswer>();
    await until(async () => (await health()).status === 'ok', PATIENCE);
    const { id } = await daemon.containers.one('mongodb');

    await daemon.end('SIGKILL');
    await daemon.boot();

    await until(async () => (await health()).status === 'ok', PATIENCE);
    expect((await daemon.containers.one('mongodb')).id).toBe(id);
    expect((await health()).store).toMatchObject({ kind: 'mongo', up: true });

    const removed = new Date();
    await (await daemon.containers.one('mongodb')).remove({ force: true });
    // Back within the time that a write is tried for, it was never away for anybody.
    await until(async () => (await daemon.containers.list('mongodb')).some((made) => made.Id !== id), PATIENCE);
    await until(async () => (await health()).status === 'ok', PATIENCE);
    const kept = (await client(uri)).db('alkimia').collection('events');
    const woken = { type: 'service.awake', service: 'mongodb', at: { $gt: removed } };
    await until(() => kept.findOne(woken), PATIENCE);
    expect((await health()).store).toMatchObject({ kind: 'mongo', up: true });
  }, 240_000);
});
