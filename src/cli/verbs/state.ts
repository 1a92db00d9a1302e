import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { StateStore } from '../../fleet/state-store.ts';
import { SystemClock } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import { createLogger } from '../../lib/logger.ts';
import { createStore } from '../../stores/create-store.ts';
import { exportState, importState, type DumpCounts } from '../../stores/state-dump.ts';
import { print, printJson, settingsOf, type CliContext, type GlobalOptions } from '../cli-context.ts';

export function stateCommand(context: CliContext): Command {
  return new Command('state')
    .description(
      'moves what is kept between stores: export from one, set MONGO_DB_URI (or empty it), import into the other',
    )
    .addCommand(exportCommand(context))
    .addCommand(importCommand(context));
}

function exportCommand(context: CliContext): Command {
  return new Command('export')
    .argument('<file>', 'is written anew, for its owner alone')
    .description('writes services, sessions, events and samples to a file')
    .action(async (file: string, _options: unknown, command: Command) => {
      const { lines, counts } = await withStore(context, exportState);
      await writeFile(resolve(context.folder, file), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
      tell(context, command, counts, `written to ${file}`);
    });
}

function importCommand(context: CliContext): Command {
  return new Command('import')
    .argument('<file>', 'what `state export` wrote')
    .description('takes in such a file; may be repeated, and undoes nothing that is newer')
    .action(async (file: string, _options: unknown, command: Command) => {
      const text = await readDump(resolve(context.folder, file));
      const counts = await withStore(context, (store) => importState(store, text));
      tell(context, command, counts, `taken in from ${file}`);
    });
}

async function readDump(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CodedError('file_unreadable', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws CodedError `store_locked` while the daemon has the embedded store, `store_unavailable` */
async function withStore<T>(context: CliContext, work: (store: StateStore) => Promise<T>): Promise<T> {
  const settings = await settingsOf(context);
  const log = createLogger({ level: 'silent', format: 'json' });
  const stateDir = resolve(context.folder, settings.stateDir);
  const store = await createStore({ ...settings, stateDir }, new SystemClock(), log);
  try {
    await store.start();
    if (!store.condition.up) throw new CodedError('store_unavailable', `The store is away: ${store.condition.reason}`);
    return await work(store);
  } finally {
    await store.close();
  }
}

function tell(context: CliContext, command: Command, counts: DumpCounts, done: string): void {
  if (command.optsWithGlobals<GlobalOptions>().json) {
    printJson(context, counts);
    return;
  }
  const { services, sessions, events, samples, older } = counts;
  const kept = older === 0 ? '' : `; ${older} services are there already, as new or newer`;
  print(context, `${services} services, ${sessions} sessions, ${events} events, ${samples} samples ${done}${kept}`);
}
