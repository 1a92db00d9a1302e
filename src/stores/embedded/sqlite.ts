import type { DatabaseSync, DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';

export type Database = DatabaseSyncInstance;
export type Statement = StatementSyncInstance;

interface SqliteModule {
  readonly DatabaseSync: typeof DatabaseSync;
}

/**
 * The `node:sqlite` API: Node's own where it has one without a flag (22.13), else the package that brings the same
 * API to Node 20. `getBuiltinModule` answers undefined where an import would throw.
 */
export async function loadSqlite(): Promise<SqliteModule> {
  const builtin = process.getBuiltinModule('node:sqlite') as SqliteModule | undefined;
  return builtin ?? (await import('@photostructure/sqlite'));
}

/**
 * Closes a database that was held exclusively and lets go of its file at once. Closing alone does not with the package:
 * the connection, and the lock with it, lives on until the last statement has been collected. Leaving the exclusive
 * mode takes leaving WAL first (sqlite.org/wal.html, "Use of WAL Without Shared-Memory"), and is done by the next read.
 */
export function closeExclusive(database: Database): void {
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema');
  } finally {
    database.close();
  }
}

/** SQLite's primary result codes (sqlite.org/rescode.html) that call for more than a report. */
export const resultCode = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 };

/** The primary result code of what a database call threw; undefined for everything else. */
export function resultCodeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined;
  return thrown.errcode & 0xff;
}

/** Whether the file system, or a quota, has no room; also where that is the cause of what was thrown. */
export function isDiskFull(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as NodeJS.ErrnoException;
  const full = resultCodeOf(thrown) === resultCode.full || code === 'ENOSPC' || code === 'EDQUOT';
  return full || isDiskFull(thrown.cause);
}
