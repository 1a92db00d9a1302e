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
} from '../../../src/fleet/state-store.ts';
import { SystemClock, type Clock } from '../../../src/lib/clock.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { ChangeListeners } from '../../../src/stores/change-listeners.ts';
import { LeaseBook } from '../../../src/stores/embedded/lease-book.ts';
import { ProcessBook } from '../../../src/stores/embedded/process-book.ts';
import { mergeSessions } from '../../../src/stores/merge-sessions.ts';

/** What lies on a disk beside the services. */
class Rest {
  readonly sessions = new Map<string, SessionRecord>();
  readonly events = new Map<string, EventRecord>();
  readonly samples = new Map<string, SampleRecord>();
  readonly listeners = new ChangeListeners();
  readonly leases: LeaseBook;
  readonly processes: ProcessBook;

  constructor(clock: Clock) {
    this.leases = new LeaseBook(clock);
    this.processes = new ProcessBook(clock);
  }
}

const rests = new WeakMap<Map<string, ServiceRecord>, Rest>();

/**
 * A StateStore in memory that passes the contract suite. Two of them over one `disk` are one store, reopened or used by
 * two processes.
 */
export class FakeStore implements StateStore {
  readonly kind = 'embedded';
  readonly #disk: Map<string, ServiceRecord>;
  readonly #rest: Rest;
  readonly #clock: Clock;
  /** While true no call is ever answered. */
  frozen = false;
  #open = false;
  #failure: Error | undefined;

  constructor(disk = new Map<string, ServiceRecord>(), clock: Clock = new SystemClock()) {
    this.#disk = disk;
    this.#clock = clock;
    this.#rest = rests.get(disk) ?? new Rest(clock);
    rests.set(disk, this.#rest);
  }

  /** Set to make every call fail, as a store does that is down. */
  set failure(failure: Error | undefined) {
    const before = this.#failure;
    this.#failure = failure;
    if (before && !failure) this.#rest.listeners.tell({ kind: 'reread' });
  }

  get condition(): StoreCondition {
    if (!this.#open) return { up: false, reason: 'not open' };
    return this.#failure ? { up: false, reason: this.#failure.message } : { up: true };
  }

  start(): Promise<void> {
    this.#open = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#open = false;
    return Promise.resolve();
  }

  putService(record: ServiceRecord): Promise<boolean> {
    return this.#run(() => {
      const stored = this.#disk.get(record._id);
      if (stored && stored.rev >= record.rev) return false;
      this.#disk.set(record._id, structuredClone(record));
      this.#rest.listeners.tell({ kind: 'service', record: structuredClone(record) });
      return true;
    });
  }

  getService(name: string): Promise<ServiceRecord | undefined> {
    return this.#run(() => structuredClone(this.#disk.get(name)));
  }

  listServices(): Promise<ServiceRecord[]> {
    // The order of databases: by the bytes of the name in UTF-8.
    return this.#run(() =>
      structuredClone([...this.#disk.values()]).sort((a, b) => Buffer.compare(Buffer.from(a._id), Buffer.from(b._id))),
    );
  }

  removeService(name: string): Promise<void> {
    return this.#run(() => {
      if (this.#disk.delete(name)) this.#rest.listeners.tell({ kind: 'service-removed', name });
    });
  }

  saveSessions(records: readonly SessionRecord[]): Promise<void> {
    return this.#run(() => {
      for (const each of records) {
        const record = structuredClone(mergeSessions(this.#rest.sessions.get(each._id), each));
        this.#rest.sessions.set(record._id, record);
        this.#rest.listeners.tell({ kind: 'session', record });
      }
    });
  }

  listSessions({ service, instance, since = '', limit }: RecordQuery): Promise<SessionRecord[]> {
    return this.#run(() =>
      this.#livingSessions()
        .filter((each) => fits(each.service, service) && fits(each.instanceId, instance) && each.lastSeenAt >= since)
        .sort((a, b) => (a.lastSeenAt < b.lastSeenAt ? 1 : -1))
        .slice(0, limit),
    );
  }

  countSessions(service: string): Promise<Map<string, number>> {
    return this.#run(() => {
      const counts = new Map<string, number>();
      for (const each of this.#livingSessions()) {
        if (each.service === service) counts.set(each.instanceId, (counts.get(each.instanceId) ?? 0) + 1);
      }
      return counts;
    });
  }

  saveEvents(records: readonly EventRecord[]): Promise<void> {
    return this.#run(() => {
      for (const record of records) this.#rest.events.set(record._id, structuredClone(record));
    });
  }

  listEvents(query: RecordQuery): Promise<EventRecord[]> {
    return this.#run(() => this.#newest([...this.#rest.events.values()], query, EVENTS_KEPT_MS));
  }

  saveSamples(records: readonly SampleRecord[]): Promise<void> {
    return this.#run(() => {
      for (const record of records) {
        this.#rest.samples.set(`${record.service} ${record.instance} ${record.at}`, structuredClone(record));
      }
    });
  }

  listSamples(query: RecordQuery): Promise<SampleRecord[]> {
    const all = [...this.#rest.samples.values()].filter(({ instance }) => fits(instance, query.instance));
    return this.#run(() => this.#newest(all, query, SAMPLES_KEPT_MS));
  }

  putProcess(record: ProcessRecord, ttlMs: number): Promise<void> {
    return this.#run(() => {
      this.#rest.processes.put(record, ttlMs);
      this.#rest.listeners.tell({ kind: 'process', record: structuredClone(record) });
    });
  }

  listProcesses(): Promise<ProcessRecord[]> {
    return this.#run(() => this.#rest.processes.list());
  }

  watch(listener: (change: StoreChange) => void): () => void {
    return this.#rest.listeners.add(listener);
  }

  claimLease(name: string, holder: string, ttlMs: number): Promise<Lease> {
    return this.#run(() => this.#rest.leases.claim(name, holder, ttlMs));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#run(() => this.#rest.leases.release(name, holder));
  }

  #livingSessions(): SessionRecord[] {
    return [...this.#rest.sessions.values()].filter(({ expiresAt }) => expiresAt > this.#ago(0));
  }

  #newest<T extends { service: string; at: string }>(
    all: T[],
    { service, since = '', limit }: RecordQuery,
    ms: number,
  ): T[] {
    return all
      .filter((each) => fits(each.service, service) && each.at >= since && each.at >= this.#ago(ms))
      .sort((a, b) => (a.at < b.at ? -1 : 1))
      .slice(-limit);
  }

  #ago(ms: number): string {
    return new Date(this.#clock.epochMs() - ms).toISOString();
  }

  #run<T>(work: () => T): Promise<T> {
    if (this.frozen) return new Promise(() => undefined);
    if (!this.#open) return Promise.reject(new CodedError('store_closed', 'The store is not open.'));
    return this.#failure ? Promise.reject(this.#failure) : Promise.resolve(work());
  }
}

function fits(value: string, wanted: string | undefined): boolean {
  return wanted === undefined || value === wanted;
}
