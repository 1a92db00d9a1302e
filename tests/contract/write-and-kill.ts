import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { ServiceRecord } from '../../src/fleet/state-store.ts';

/** Which store the process opens; it reads it from its command line. */
export type StorePlace =
  | { readonly kind: 'embedded'; readonly stateDir: string }
  | { readonly kind: 'mongo'; readonly uri: string; readonly databaseName: string };

/** Has a process of its own store the records, and kills it with SIGKILL as soon as it says that they are stored. */
export async function writeAndKill(place: StorePlace, records: readonly ServiceRecord[]): Promise<void> {
  const writer = path.join(import.meta.dirname, 'state-store-writer.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', writer, JSON.stringify(place)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  child.send(records);
  // The child says that every write has resolved; it would go on for ever.
  await Promise.race([once(child, 'message'), exited.then(() => Promise.reject(new Error('the writer ended early')))]);
  child.kill('SIGKILL');
  await exited;
}
