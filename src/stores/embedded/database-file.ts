import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import { loadSqlite, resultCode, resultCodeOf, type Database } from './sqlite.ts';

export interface DatabaseFileOptions {
  readonly file: string;
  /** SQL that makes what is missing; run inside the transaction that takes the lock. */
  readonly schema: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Opens a database for this process alone and makes it, with its folder, where it is missing.
 * A damaged file is moved aside and a new one begun.
 * @throws CodedError `store_locked` while another process has it, `store_unavailable` when the disk refuses
 */
export async function openDatabaseFile(options: DatabaseFileOptions): Promise<Database> {
  const { file } = options;
  try {
    // What is remembered is nobody else's business: the folder and the file are the owner's.
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await (await open(file, 'a', 0o600)).close();
    return await openOrBeginAnew(options);
  } catch (error) {
    if (resultCodeOf(error) === resultCode.busy) throw lockedError(file, error);
    throw new CodedError(
      'store_unavailable',
      `The state cannot be kept in ${file}: ${messageOf(error)}. Make the folder writable, free disk space, or set STATE_DIR to another folder.`,
      { cause: error },
    );
  }
}

async function openOrBeginAnew(options: DatabaseFileOptions): Promise<Database> {
  try {
    return await openSound(options);
  } catch (error) {
    const code = resultCodeOf(error);
    if (code !== resultCode.corrupt && code !== resultCode.notADatabase) throw error;
    await moveAside(options, messageOf(error));
    return openSound(options);
  }
}

async function openSound({ file, schema }: DatabaseFileOptions): Promise<Database> {
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(file);
  try {
    takeLock(database, schema);
    const verdict = database.prepare('PRAGMA quick_check(1)').get() as { quick_check?: unknown } | undefined;
    if (verdict?.quick_check !== 'ok') throw damaged(String(verdict?.quick_check));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The exclusive locking mode keeps the lock of the first transaction until the connection ends, and it is the operating system's
 * lock: it ends with the process, kill -9 too, so nobody ever has to clear one away.
 * WAL with `synchronous = NORMAL` has every committed write in the kernel's hands: it outlives the process, and
 * a power cut can take the last writes but not damage the file.
 */
function takeLock(database: Database, schema: string): void {
  database.exec('PRAGMA busy_timeout = 0');
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = NORMAL');
  database.exec(`BEGIN IMMEDIATE; ${schema}; COMMIT`);
}

function damaged(verdict: string): Error {
  return Object.assign(new Error(`the database is damaged: ${verdict}`), { errcode: resultCode.corrupt });
}

function lockedError(file: string, cause: unknown): CodedError {
  return new CodedError(
    'store_locked',
    `Another process uses ${file}: only one daemon can keep its state there. Stop the other one, or set STATE_DIR to a folder of this daemon's own.`,
    { cause },
  );
}

/** The write-ahead log goes along: it belongs to the damaged file and may hold what somebody wants to rescue. */
async function moveAside({ file, clock, log }: DatabaseFileOptions, reason: string): Promise<void> {
  const date = new Date(clock.epochMs()).toISOString().replaceAll(':', '-');
  const aside = `${file}.corrupt-${date}`;
  await rename(file, aside);
  for (const suffix of ['-wal', '-shm']) {
    await rename(file + suffix, aside + suffix).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
  log.error(
    { file, movedTo: aside, reason },
    'the state database cannot be read: it was moved aside and a new, empty one begun; services that run are found again by their runtime',
  );
}
