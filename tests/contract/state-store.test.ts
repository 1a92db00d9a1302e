import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import type { ServiceRecord } from '../../src/fleet/state-store.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { EmbeddedStore } from '../../src/stores/embedded/embedded-store.ts';
import { loadSqlite } from '../../src/stores/embedded/sqlite.ts';
import { FakeStore } from '../support/fakes/fake-store.ts';
import { stateStoreSuite, type StoreHarness } from './state-store-suite.ts';
import { writeAndKill } from './write-and-kill.ts';

stateStoreSuite('the fake of the unit tests', () => {
  const disk = new Map<string, ServiceRecord>();
  return Promise.resolve({ open: () => new FakeStore(disk), shared: true, dispose: () => Promise.resolve() });
});

stateStoreSuite('the embedded store', embeddedHarness);

async function embeddedHarness(): Promise<StoreHarness> {
  const stateDir = await mkdtemp(path.join(tmpdir(), 'reveille-store-'));
  const log = pino({ level: 'silent' });
  const open = (): EmbeddedStore => new EmbeddedStore({ stateDir, clock: new SystemClock(), log });
  return {
    open,
    plant: async (shape) => {
      const { DatabaseSync } = await loadSqlite();
      const database = new DatabaseSync(path.join(stateDir, 'reveille.db'));
      const insert = database.prepare('INSERT OR REPLACE INTO services (name, rev, record) VALUES (?, ?, ?)');
      insert.run(shape._id, shape.rev, JSON.stringify(shape));
      database.close();
    },
    writeAndKill: (records) => writeAndKill({ kind: 'embedded', stateDir }, records),
    dispose: () => rm(stateDir, { recursive: true, force: true }),
  };
}
