import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import type { ServiceRecord } from '../../src/fleet/state-store.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { EmbeddedStore } from '../../src/stores/embedded-store.ts';
import { FakeStore } from '../support/fake-store.ts';
import { stateStoreSuite, type StoreHarness } from './state-store-suite.ts';

stateStoreSuite('the fake of the unit tests', () => {
  const disk = new Map<string, ServiceRecord>();
  return Promise.resolve({ open: () => new FakeStore(disk), dispose: () => Promise.resolve() });
});

stateStoreSuite('the embedded store', embeddedHarness);

async function embeddedHarness(): Promise<StoreHarness> {
  const stateDir = await mkdtemp(path.join(tmpdir(), 'reveille-store-'));
  const log = pino({ level: 'silent' });
  return {
    open: () => new EmbeddedStore({ stateDir, clock: new SystemClock(), log }),
    writeAndKill: (records) => writeAndKill(stateDir, records),
    dispose: () => rm(stateDir, { recursive: true, force: true }),
  };
}

async function writeAndKill(stateDir: string, records: readonly ServiceRecord[]): Promise<void> {
  const writer = path.join(import.meta.dirname, 'state-store-writer.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', writer, stateDir], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  child.send(records);
  // The child says that every write has resolved; it would go on for ever.
  await Promise.race([once(child, 'message'), exited.then(() => Promise.reject(new Error('the writer ended early')))]);
  child.kill('SIGKILL');
  await exited;
}
