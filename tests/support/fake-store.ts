import type { ServiceRecord, StateStore, StoreCondition } from '../../src/fleet/state-store.ts';
import { CodedError } from '../../src/lib/coded-error.ts';

/** A StateStore in memory that passes the contract suite. Two of them over one `disk` are one store, reopened. */
export class FakeStore implements StateStore {
  readonly kind = 'embedded';
  readonly #disk: Map<string, ServiceRecord>;
  #open = false;
  /** Set to make every call fail, as a store does that is down. */
  failure: Error | undefined;

  constructor(disk = new Map<string, ServiceRecord>()) {
    this.#disk = disk;
  }

  get condition(): StoreCondition {
    if (!this.#open) return { up: false, reason: 'not open' };
    return this.failure ? { up: false, reason: this.failure.message } : { up: true };
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
    return this.#run(() => void this.#disk.delete(name));
  }

  #run<T>(work: () => T): Promise<T> {
    if (!this.#open) return Promise.reject(new CodedError('store_closed', 'The store is not open.'));
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(work());
  }
}
