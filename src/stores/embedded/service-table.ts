import type { ServiceRecord } from '../../fleet/state-store.ts';
import type { Logger } from '../../lib/logger.ts';
import { serviceCodec } from '../record-codec.ts';
import type { Database, Statement } from './sqlite.ts';
import { rowReader, type Row, type RowReader } from './row-reader.ts';

export class ServiceTable {
  static readonly schema =
    'CREATE TABLE IF NOT EXISTS services (name TEXT PRIMARY KEY, rev INTEGER NOT NULL, record TEXT NOT NULL)';

  readonly #reader: RowReader<ServiceRecord>;
  readonly #put: Statement;
  readonly #replace: Statement;
  readonly #get: Statement;
  readonly #list: Statement;
  readonly #remove: Statement;

  constructor(database: Database, log: Logger) {
    const upsert =
      'INSERT INTO services (name, rev, record) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET rev = excluded.rev, record = excluded.record';
    this.#reader = rowReader('service', serviceCodec, log);
    this.#put = database.prepare(`${upsert} WHERE excluded.rev > services.rev`);
    this.#replace = database.prepare(upsert);
    this.#get = database.prepare('SELECT name AS id, record FROM services WHERE name = ?');
    this.#list = database.prepare('SELECT name AS id, record FROM services ORDER BY name');
    this.#remove = database.prepare('DELETE FROM services WHERE name = ?');
  }

  put(record: ServiceRecord): boolean {
    const values = [record._id, record.rev, JSON.stringify(serviceCodec.encode(record))] as const;
    if (this.#put.run(...values).changes > 0) return true;
    // A row that nobody can read must not hold the place against one that everybody can.
    if (this.get(record._id)) return false;
    this.#replace.run(...values);
    return true;
  }

  get(name: string): ServiceRecord | undefined {
    const row = this.#get.get(name) as Row | undefined;
    return row && this.#reader.read(row);
  }

  list(): ServiceRecord[] {
    return this.#reader.readAll(this.#list.all() as Row[]);
  }

  remove(name: string): boolean {
    return this.#remove.run(name).changes > 0;
  }
}
