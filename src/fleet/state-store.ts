import type { ServiceStatus } from '../seam/fleet-view.ts';

export interface InstanceRecord {
  readonly id: string;
  readonly state: string;
  /** ISO 8601. */
  readonly since: string;
  /** `host:port`, when it serves. */
  readonly upstream?: string;
}

/** What is remembered of a service across restarts. */
export interface ServiceRecord {
  /** The service's name. */
  readonly _id: string;
  readonly routes: readonly string[];
  readonly status: ServiceStatus;
  /** How many instances the operator asked for when it is awake. */
  readonly desired: number;
  readonly instances: readonly InstanceRecord[];
  /** Grows with every change; a write with a lower or equal one than the stored is ignored. */
  readonly rev: number;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly proxyId: string;
}

export type StoreCondition = { readonly up: true } | { readonly up: false; readonly reason: string };

/**
 * Remembers the service registry. Drivers: the embedded store, MongoDB; all pass one suite.
 * A resolved write survives kill -9.
 */
export interface StateStore {
  readonly kind: 'embedded' | 'mongo';
  readonly condition: StoreCondition;
  start(): Promise<void>;
  close(): Promise<void>;
  /** Stores the record unless a newer `rev` is there; tells whether it was stored. */
  putService(record: ServiceRecord): Promise<boolean>;
  getService(name: string): Promise<ServiceRecord | undefined>;
  /** All records, by name. */
  listServices(): Promise<ServiceRecord[]>;
  removeService(name: string): Promise<void>;
}
