import type { RecordQuery } from '../../fleet/state-store.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Shape } from '../record-codec.ts';
import type { Database, Statement } from './sqlite.ts';
import { rowReader, type Row, type RowReader } from './row-reader.ts';

interface Logged {
  readonly service: string;
  readonly at: string;
}

export interface LogTableOptions<T extends Logged> {
  readonly name: 'events' | 'samples';
  readonly codec: { encode(record: T): Shape; decode(shape: unknown): T };
  /** The same for the same record, so that it is never there twice. */
  readonly idOf: (record: T) => string;
  readonly instanceOf: (record: T) => string;
}

/** Records that are only ever added, and end when they are old. */
export class LogTable<T extends Logged> {
  readonly #options: LogTableOptions<T>;
  readonly #reader: RowReader<T>;
  readonly #add: Statement;
  readonly #list: Statement;
  readonly #prune: Statement;

  static schema(name: 'events' | 'samples'): string {
    return `
      CREATE TABLE IF NOT EXISTS ${name} (id TEXT PRIMARY KEY, service TEXT NOT NULL, instance TEXT NOT NULL, at TEXT NOT NULL, record TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS ${name}_by_service ON ${name} (service, at);
      CREATE INDEX IF NOT EXISTS ${name}_by_time ON ${name} (at)`;
  }

  constructor(database: Database, log: Logger, options: LogTableOptions<T>) {
    const { name, codec } = options;
    this.#options = options;
    this.#reader = rowReader(name.slice(0, -1), codec, log);
    this.#add = database.prepare(
      `INSERT OR IGNORE INTO ${name} (id, service, instance, at, record) VALUES (?, ?, ?, ?, ?)`,
    );
    this.#list = database.prepare(
      `SELECT id, record FROM ${name} WHERE at >= ? AND service = coalesce(?, service)
       AND instance = coalesce(?, instance) ORDER BY at DESC, id DESC LIMIT ?`,
    );
    this.#prune = database.prepare(`DELETE FROM ${name} WHERE at < ?`);
  }

  add(record: T): void {
    const { codec, idOf, instanceOf } = this.#options;
    this.#add.run(idOf(record), record.service, instanceOf(record), record.at, textOf(codec.encode(record)));
  }

  /** @param oldest what is older counts as gone */
  list({ service, instance, since = '', limit }: RecordQuery, oldest: string): T[] {
    const from = since > oldest ? since : oldest;
    return this.#reader.readAll(this.#list.all(from, service ?? null, instance ?? null, limit) as Row[]).reverse();
  }

  prune(oldest: string): void {
    this.#prune.run(oldest);
  }
}

/** @throws CodedError `record_refused` for what JSON does not know, such as a circle */
function textOf(shape: Shape): string {
  try {
    return JSON.stringify(shape);
  } catch (error) {
    throw new CodedError('record_refused', `a record cannot be stored: ${messageOf(error)}`, { cause: error });
  }
}
