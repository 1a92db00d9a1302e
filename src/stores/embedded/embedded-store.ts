import path from 'node:path';
import {
  EVENTS_KEPT_MS,
  SAMPLES_KEPT_MS,
  type EventRecord,
  type Lease,
  type ProcessRecord,
  type RecordQuery,
  type SampleRecord,
  type ServiceRecord,
  type SessionRecord,
  type StateStore,
  type StoreChange,
  type StoreCondition,
} from '../../fleet/state-store.ts';
import { Backoff } from '../../lib/backoff.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import { ChangeListeners } from '../change-listeners.ts';
import { openDatabaseFile } from './database-file.ts';
import { LeaseBook } from './lease-book.ts';
import { ProcessBook } from './process-book.ts';
import { closeExclusive, isDiskFull } from './sqlite.ts';
import { Tables } from './tables.ts';

export interface EmbeddedStoreOptions {
  /** The folder of the database; made, for its owner alone, when it is missing. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The state in one SQLite file, `<stateDir>/reveille.db`, that one process at a time may have open. */
export class EmbeddedStore implements StateStore {
  readonly kind = 'embedded';
  readonly file: string;
  readonly #options: EmbeddedStoreOptions;
  readonly #listeners = new ChangeListeners();
  readonly #leases: LeaseBook;
  readonly #processes: ProcessBook;
  #open: Tables | undefined;
  #closing = new AbortController();
  /** The disk was full at the start: settled when the file is open after all, or given up. */
  #opening: Promise<void> | undefined;
  #condition: StoreCondition = { up: false, reason: 'not started' };

  constructor(options: EmbeddedStoreOptions) {
    this.#options = options;
    this.#leases = new LeaseBook(options.clock);
    this.#processes = new ProcessBook(options.clock);
    this.file = path.resolve(options.stateDir, 'reveille.db');
  }

  get condition(): StoreCondition {
    return this.#condition;
  }

  /**
   * A full disk is waited for behind.
   * @throws CodedError `store_locked` while another process has the file, `store_unavailable` when the disk refuses
   */
  async start(): Promise<void> {
    if (this.#open || this.#opening) return;
    this.#closing = new AbortController();
    try {
      await this.#openFile();
      this.#condition = { up: true };
    } catch (error) {
      this.#condition = { up: false, reason: messageOf(error) };
      if (!isDiskFull(error)) throw error;
      this.#options.log.error({ file: this.file }, messageOf(error));
      this.#opening = this.#openLater(this.#closing.signal);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening;
    const open = this.#open;
    this.#open = undefined;
    this.#condition = { up: false, reason: 'closed' };
    try {
      if (open) closeExclusive(open.database);
    } catch (error) {
      this.#options.log.warn({ err: error, file: this.file }, 'the state database did not close cleanly');
    }
  }

  async putService(record: ServiceRecord): Promise<boolean> {
    const stored = await this.#write(({ services }) => services.put(record));
    if (stored) this.#listeners.tell({ kind: 'service', record: structuredClone(record) });
    return stored;
  }

  getService(name: string): Promise<ServiceRecord | undefined> {
    return this.#run(({ services }) => services.get(name));
  }

  listServices(): Promise<ServiceRecord[]> {
    return this.#run(({ services }) => services.list());
  }

  async removeService(name: string): Promise<void> {
    const removed = await this.#write(({ services }) => services.remove(name));
    if (removed) this.#listeners.tell({ kind: 'service-removed', name });
  }

  async saveSessions(records: readonly SessionRecord[]): Promise<void> {
    const [saved, expired] = await this.#write((tables) =>
      tables.atOnce(() => [records.map((record) => tables.sessions.save(record)), tables.prune()] as const),
    );
    for (const record of saved) this.#listeners.tell({ kind: 'session', record });
    for (const id of expired) this.#listeners.tell({ kind: 'session-removed', id });
  }

  listSessions(query: RecordQuery): Promise<SessionRecord[]> {
    return this.#run((tables) => tables.sessions.list(query, tables.ago(0)));
  }

  countSessions(service: string): Promise<Map<string, number>> {
    return this.#run((tables) => tables.sessions.count(service, tables.ago(0)));
  }

  saveEvents(records: readonly EventRecord[]): Promise<void> {
    return this.#append((tables) => records.forEach((record) => tables.events.add(record)));
  }

  listEvents(query: RecordQuery): Promise<EventRecord[]> {
    return this.#run((tables) => tables.events.list(query, tables.ago(EVENTS_KEPT_MS)));
  }

  saveSamples(records: readonly SampleRecord[]): Promise<void> {
    return this.#append((tables) => records.forEach((record) => tables.samples.add(record)));
  }

  listSamples(query: RecordQuery): Promise<SampleRecord[]> {
    return this.#run((tables) => tables.samples.list(query, tables.ago(SAMPLES_KEPT_MS)));
  }

  async putProcess(record: ProcessRecord, ttlMs: number): Promise<void> {
    await this.#run(() => this.#processes.put(record, ttlMs));
    this.#listeners.tell({ kind: 'process', record: structuredClone(record) });
  }

  listProcesses(): Promise<ProcessRecord[]> {
    return this.#run(() => this.#processes.list());
  }

  watch(listener: (change: StoreChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  claimLease(name: string, holder: string, ttlMs: number): Promise<Lease> {
    return this.#run(() => this.#leases.claim(name, holder, ttlMs));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#run(() => this.#leases.release(name, holder));
  }

  async #append(add: (tables: Tables) => void): Promise<void> {
    const expired = await this.#write((tables) =>
      tables.atOnce(() => {
        add(tables);
        return tables.prune();
      }),
    );
    for (const id of expired) this.#listeners.tell({ kind: 'session-removed', id });
  }

  async #openFile(): Promise<void> {
    const { clock, log } = this.#options;
    const database = await openDatabaseFile({ file: this.file, schema: Tables.schema, clock, log });
    this.#open = new Tables(database, clock, log);
  }

  async #openLater(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
    for (;;) {
      await sleep(this.#options.clock, backoff.fail(), signal);
      if (signal.aborted) break;
      try {
        await this.#openFile();
        this.#becomes({ up: true });
        break;
      } catch (error) {
        this.#condition = { up: false, reason: messageOf(error) };
      }
    }
    this.#opening = undefined;
  }

  #write<T>(work: (open: Tables) => T): Promise<T> {
    return this.#run((open) => {
      const result = work(open);
      this.#becomes({ up: true });
      return result;
    });
  }

  /** For reads. That one succeeds says nothing of the condition: a full disk refuses only writes. */
  #run<T>(work: (open: Tables) => T): Promise<T> {
    if (!this.#open) return Promise.reject(this.#notOpen());
    try {
      return Promise.resolve(work(this.#open));
    } catch (error) {
      if (error instanceof CodedError) return Promise.reject(error);
      const message = `The state store ${this.file} failed: ${messageOf(error)}. ${adviceOn(error)}`;
      this.#becomes({ up: false, reason: message });
      return Promise.reject(new CodedError('store_failed', message, { cause: error }));
    }
  }

  #notOpen(): CodedError {
    const { condition } = this;
    if (this.#opening && !condition.up) return new CodedError('store_unavailable', condition.reason);
    return new CodedError('store_closed', `The state store ${this.file} is not open: it was closed or never started.`);
  }

  #becomes(condition: StoreCondition): void {
    const wasUp = this.#condition.up;
    this.#condition = condition;
    if (wasUp && !condition.up) this.#options.log.error({ file: this.file }, condition.reason);
    if (wasUp || !condition.up) return;
    this.#options.log.info({ file: this.file }, 'the state store works again');
    this.#listeners.tell({ kind: 'reread' });
  }
}

function adviceOn(error: unknown): string {
  if (isDiskFull(error)) return 'Free space on its disk; what is to be kept waits.';
  return 'Look for a failing disk; a damaged file is replaced at the next start.';
}
