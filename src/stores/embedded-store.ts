import path from 'node:path';
import type { ServiceRecord, StateStore, StoreCondition } from '../fleet/state-store.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { openDatabaseFile } from './database-file.ts';
import { decodeService, encodeService } from './record-codec.ts';
import { closeExclusive, type Database, type Statement } from './sqlite.ts';

export interface EmbeddedStoreOptions {
  /** The folder of the database; made, for its owner alone, when it is missing. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const schema =
  'CREATE TABLE IF NOT EXISTS services (name TEXT PRIMARY KEY, rev INTEGER NOT NULL, record TEXT NOT NULL)';

interface OpenDatabase {
  readonly database: Database;
  readonly put: Statement;
  readonly replace: Statement;
  readonly get: Statement;
  readonly list: Statement;
  readonly remove: Statement;
}

interface Row {
  readonly name: string;
  readonly record: string;
}

/** The state in one SQLite file, `<stateDir>/reveille.db`, that one process at a time may have open. */
export class EmbeddedStore implements StateStore {
  readonly kind = 'embedded';
  readonly file: string;
  readonly #options: EmbeddedStoreOptions;
  /** The driver crashes when a database is collected while one of its statements lives: both stay here until `close`. */
  #open: OpenDatabase | undefined;
  #condition: StoreCondition = { up: false, reason: 'not started' };

  constructor(options: EmbeddedStoreOptions) {
    this.#options = options;
    this.file = path.resolve(options.stateDir, 'reveille.db');
  }

  get condition(): StoreCondition {
    return this.#condition;
  }

  /** @throws CodedError `store_locked` while another process has the file, `store_unavailable` when the disk refuses */
  async start(): Promise<void> {
    if (this.#open) return;
    const { clock, log } = this.#options;
    try {
      const database = await openDatabaseFile({ file: this.file, schema, clock, log });
      this.#open = { database, ...statements(database) };
      this.#condition = { up: true };
    } catch (error) {
      this.#condition = { up: false, reason: messageOf(error) };
      throw error;
    }
  }

  close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#condition = { up: false, reason: 'closed' };
    try {
      if (open) closeExclusive(open.database);
    } catch (error) {
      this.#options.log.warn({ err: error, file: this.file }, 'the state database did not close cleanly');
    }
    return Promise.resolve();
  }

  putService(record: ServiceRecord): Promise<boolean> {
    return this.#run(({ put, get, replace }) => {
      const values = [record._id, record.rev, encodeService(record)] as const;
      if (put.run(...values).changes > 0) return true;
      // A row that nobody can read must not hold the place against one that everybody can.
      const row = get.get(record._id) as Row | undefined;
      if (row && this.#read(row)) return false;
      replace.run(...values);
      return true;
    });
  }

  getService(name: string): Promise<ServiceRecord | undefined> {
    return this.#run(({ get }) => {
      const row = get.get(name) as Row | undefined;
      return row && this.#read(row);
    });
  }

  listServices(): Promise<ServiceRecord[]> {
    return this.#run(({ list }) => (list.all() as Row[]).flatMap((row) => this.#read(row) ?? []));
  }

  removeService(name: string): Promise<void> {
    return this.#run(({ remove }) => void remove.run(name));
  }

  /** Undefined, and a line in the log, for a row that cannot be read. */
  #read({ name, record }: Row): ServiceRecord | undefined {
    try {
      return decodeService(record);
    } catch (error) {
      this.#options.log.warn(
        { service: name, file: this.file, reason: messageOf(error) },
        'a service record cannot be read and is skipped; the next change of the service replaces it',
      );
      return undefined;
    }
  }

  #run<T>(work: (open: OpenDatabase) => T): Promise<T> {
    if (!this.#open) {
      return Promise.reject(
        new CodedError('store_closed', `The state store ${this.file} is not open: it was closed or never started.`),
      );
    }
    try {
      const result = work(this.#open);
      this.#becomes({ up: true });
      return Promise.resolve(result);
    } catch (error) {
      const message = `The state store ${this.file} failed: ${messageOf(error)}. Look for a full or failing disk; a damaged file is replaced at the next start.`;
      this.#becomes({ up: false, reason: message });
      return Promise.reject(new CodedError('store_failed', message, { cause: error }));
    }
  }

  #becomes(condition: StoreCondition): void {
    const wasUp = this.#condition.up;
    this.#condition = condition;
    if (wasUp && !condition.up) this.#options.log.error({ file: this.file }, condition.reason);
    if (!wasUp && condition.up) this.#options.log.info({ file: this.file }, 'the state store works again');
  }
}

function statements(database: Database): Omit<OpenDatabase, 'database'> {
  const upsert =
    'INSERT INTO services (name, rev, record) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET rev = excluded.rev, record = excluded.record';
  return {
    put: database.prepare(`${upsert} WHERE excluded.rev > services.rev`),
    replace: database.prepare(upsert),
    get: database.prepare('SELECT name, record FROM services WHERE name = ?'),
    list: database.prepare('SELECT name, record FROM services ORDER BY name'),
    remove: database.prepare('DELETE FROM services WHERE name = ?'),
  };
}
