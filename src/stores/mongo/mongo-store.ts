import type {
  EventRecord,
  Lease,
  ProcessRecord,
  RecordQuery,
  SampleRecord,
  ServiceRecord,
  SessionRecord,
  StateStore,
  StoreChange,
  StoreCondition,
} from '../../fleet/state-store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { ChangeListeners } from '../change-listeners.ts';
import { ChangeFeed } from './change-feed.ts';
import { EventCollection } from './event-collection.ts';
import { LeaseCollection } from './lease-collection.ts';
import { MongoConnection, type MongoLimits } from './mongo-connection.ts';
import { prepareDatabase } from './prepare.ts';
import { ProcessCollection } from './process-collection.ts';
import { SampleCollection } from './sample-collection.ts';
import { ServiceCollection } from './service-collection.ts';
import { SessionCollection } from './session-collection.ts';

export interface MongoStoreOptions {
  readonly uri: string;
  readonly databaseName: string;
  readonly limits: MongoLimits;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The state in a database of a MongoDB replica set (5.0 or later), shared by all who use it. Writes are there once a
 * majority of the members has them.
 */
export class MongoStore implements StateStore {
  readonly kind = 'mongo';
  readonly #listeners = new ChangeListeners();
  readonly #connection: MongoConnection;
  readonly #feed: ChangeFeed;
  readonly #services: ServiceCollection;
  readonly #sessions: SessionCollection;
  readonly #events: EventCollection;
  readonly #samples: SampleCollection;
  readonly #leases = new LeaseCollection();
  readonly #processes = new ProcessCollection();

  /** @throws CodedError `uri_refused` */
  constructor(options: MongoStoreOptions) {
    const { log } = options;
    this.#services = new ServiceCollection(log);
    this.#sessions = new SessionCollection(log);
    this.#events = new EventCollection(log);
    this.#samples = new SampleCollection(log);
    this.#connection = new MongoConnection({
      ...options,
      prepare: async (database) => {
        await prepareDatabase(database);
        await this.#feed.open(database);
      },
      onUp: () => this.#listeners.tell({ kind: 'reread' }),
    });
    this.#feed = new ChangeFeed({
      toChange: (collection, document) => this.#toChange(collection, document),
      tell: (change) => this.#listeners.tell(change),
      failed: (error) => void this.#connection.failed(error),
    });
  }

  get condition(): StoreCondition {
    return this.#connection.condition;
  }

  /** Never fails: a server that is away is waited for, behind. */
  start(): Promise<void> {
    return this.#connection.start();
  }

  async close(): Promise<void> {
    await this.#feed.close();
    await this.#connection.close();
  }

  putService(record: ServiceRecord): Promise<boolean> {
    return this.#connection.run((database) => this.#services.put(database, record));
  }

  getService(name: string): Promise<ServiceRecord | undefined> {
    return this.#connection.run((database) => this.#services.get(database, name));
  }

  listServices(): Promise<ServiceRecord[]> {
    return this.#connection.run((database) => this.#services.list(database));
  }

  removeService(name: string): Promise<void> {
    return this.#connection.run((database) => this.#services.remove(database, name));
  }

  saveSessions(records: readonly SessionRecord[]): Promise<void> {
    return this.#connection.run((database) => this.#sessions.save(database, records));
  }

  listSessions(query: RecordQuery): Promise<SessionRecord[]> {
    return this.#connection.run((database) => this.#sessions.list(database, query));
  }

  countSessions(service: string): Promise<Map<string, number>> {
    return this.#connection.run((database) => this.#sessions.count(database, service));
  }

  saveEvents(records: readonly EventRecord[]): Promise<void> {
    return this.#connection.run((database) => this.#events.save(database, records));
  }

  listEvents(query: RecordQuery): Promise<EventRecord[]> {
    return this.#connection.run((database) => this.#events.list(database, query));
  }

  saveSamples(records: readonly SampleRecord[]): Promise<void> {
    return this.#connection.run((database) => this.#samples.save(database, records));
  }

  listSamples(query: RecordQuery): Promise<SampleRecord[]> {
    return this.#connection.run((database) => this.#samples.list(database, query));
  }

  putProcess(record: ProcessRecord, ttlMs: number): Promise<void> {
    return this.#connection.run((database) => this.#processes.put(database, record, ttlMs));
  }

  listProcesses(): Promise<ProcessRecord[]> {
    return this.#connection.run((database) => this.#processes.list(database));
  }

  watch(listener: (change: StoreChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  claimLease(name: string, holder: string, ttlMs: number): Promise<Lease> {
    return this.#connection.run((database) => this.#leases.claim(database, name, holder, ttlMs));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#connection.run((database) => this.#leases.release(database, name, holder));
  }

  #toChange(collection: string, document: object): StoreChange | undefined {
    if (collection === 'processes') {
      const record = this.#processes.read(document);
      return record && { kind: 'process', record };
    }
    if (collection === 'services') {
      const record = this.#services.read(document);
      return record && { kind: 'service', record };
    }
    const record = this.#sessions.read(document);
    return record && { kind: 'session', record };
  }
}
