import type { RecordQuery, SessionRecord } from '../../fleet/state-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { mergeSessions } from '../merge-sessions.ts';
import { sessionCodec } from '../record-codec.ts';
import type { Database, Statement } from './sqlite.ts';
import { rowReader, type Row, type RowReader } from './row-reader.ts';

export class SessionTable {
  static readonly schema = `
    CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, service TEXT NOT NULL, instance TEXT NOT NULL, seen TEXT NOT NULL, expires TEXT NOT NULL, record TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS sessions_of_instance ON sessions (service, instance);
    CREATE INDEX IF NOT EXISTS sessions_expire ON sessions (expires)`;

  readonly #reader: RowReader<SessionRecord>;
  readonly #put: Statement;
  readonly #get: Statement;
  readonly #list: Statement;
  readonly #count: Statement;
  readonly #expired: Statement;

  constructor(database: Database, log: Logger) {
    this.#reader = rowReader('session', sessionCodec, log);
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO sessions (id, service, instance, seen, expires, record) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#get = database.prepare('SELECT id, record FROM sessions WHERE id = ?');
    this.#list = database.prepare(
      `SELECT id, record FROM sessions WHERE expires > ? AND service = coalesce(?, service)
       AND instance = coalesce(?, instance) AND seen >= ? ORDER BY seen DESC LIMIT ?`,
    );
    this.#count = database.prepare(
      'SELECT instance, count(*) AS count FROM sessions WHERE service = ? AND expires > ? GROUP BY instance',
    );
    this.#expired = database.prepare('DELETE FROM sessions WHERE expires <= ? RETURNING id');
  }

  /** @returns what is stored now */
  save(record: SessionRecord): SessionRecord {
    const row = this.#get.get(record._id) as Row | undefined;
    const merged = mergeSessions(row && this.#reader.read(row), record);
    const { _id, service, instanceId, lastSeenAt, expiresAt } = merged;
    this.#put.run(_id, service, instanceId, lastSeenAt, expiresAt, JSON.stringify(sessionCodec.encode(merged)));
    return merged;
  }

  list({ service, instance, since = '', limit }: RecordQuery, now: string): SessionRecord[] {
    return this.#reader.readAll(this.#list.all(now, service ?? null, instance ?? null, since, limit) as Row[]);
  }

  count(service: string, now: string): Map<string, number> {
    const rows = this.#count.all(service, now) as { instance: string; count: number }[];
    return new Map(rows.map(({ instance, count }) => [instance, count]));
  }

  /** @returns the ids of those that have expired and are gone */
  prune(now: string): string[] {
    return (this.#expired.all(now) as { id: string }[]).map(({ id }) => id);
  }
}
