import type { ServiceStatus } from '../seam/fleet-view.ts';

export interface InstanceRecord {
  readonly id: string;
  readonly state: string;
  /** ISO 8601. */
  readonly since: string;
  /** `host:port`, when it serves. */
  readonly upstream?: string;
}

/** What is remembered of a service across restarts. All times of records are ISO 8601 in UTC, with milliseconds. */
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
  readonly updatedAt: string;
  readonly proxyId: string;
}

/** A client that is tied to an instance. */
export interface SessionRecord {
  readonly _id: string;
  readonly service: string;
  readonly instanceId: string;
  /** What tells people which client it is; never enough to be it. */
  readonly clientHint: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  /** From here on nobody is shown it any more. */
  readonly expiresAt: string;
}

/** A fact as it was told, kept for `EVENTS_KEPT_MS`. */
export interface EventRecord {
  /** Unique among all processes: the source and the id of the CloudEvent. */
  readonly _id: string;
  readonly service: string;
  readonly at: string;
  /** The CloudEvent itself. */
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What one instance used at one moment, kept for `SAMPLES_KEPT_MS`. */
export interface SampleRecord {
  readonly service: string;
  /** The id of the instance. */
  readonly instance: string;
  readonly at: string;
  /** Percent of its limit; null while it is not known. */
  readonly cpu: number | null;
  /** Bytes; null while it is not known. */
  readonly memory: number | null;
  readonly inFlight: number;
}

/** An instance that a process is about to stop, pause or remove: nobody is to send it anything more. */
export interface DepartureRecord {
  /** Unique among all processes and times. */
  readonly id: string;
  readonly service: string;
  readonly index: number;
}

/** A process that shares the store, as the others know it. */
export interface ProcessRecord {
  readonly _id: string;
  /** Grows with every word of the process: an older one that arrives later is out of date. */
  readonly seq: number;
  /**
   * Requests, streams and WebSockets that it has open now, by service and instance; 0 = none, but there were some since
   * the word before. Those without any are absent.
   */
  readonly inFlight: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly departures: readonly DepartureRecord[];
  /** The instances that it is starting. */
  readonly starting?: readonly { readonly service: string; readonly index: number }[];
  /** The departures of others, by id, of which it has let go: `inFlight` says what is left. */
  readonly letGo: readonly string[];
  /** Those of an instance that it needs, for requests wait for it. */
  readonly wanted: readonly string[];
  /** It says nothing more. */
  readonly ended?: boolean;
}

export const EVENTS_KEPT_MS = 7 * 24 * 3_600_000;
export const SAMPLES_KEPT_MS = 24 * 3_600_000;

/** Which records; the newest `limit` of those that fit. */
export interface RecordQuery {
  readonly service?: string;
  readonly instance?: string;
  /** Not older than this instant. */
  readonly since?: string;
  readonly limit: number;
}

export type StoreCondition = { readonly up: true } | { readonly up: false; readonly reason: string };

/** What somebody, perhaps this process, has changed. */
export type StoreChange =
  | { readonly kind: 'service'; readonly record: ServiceRecord }
  | { readonly kind: 'service-removed'; readonly name: string }
  | { readonly kind: 'session'; readonly record: SessionRecord }
  | { readonly kind: 'session-removed'; readonly id: string }
  | { readonly kind: 'process'; readonly record: ProcessRecord }
  /** The store can be used (again), or changes were missed: who needs the whole picture reads it anew. */
  | { readonly kind: 'reread' };

/** A right that one process at a time has. */
export interface Lease {
  readonly holder: string;
  /** Grows whenever the right goes to another holder. */
  readonly term: number;
  /** How much longer it lasts by the clock of the store, unless it is renewed. */
  readonly remainingMs: number;
}

/**
 * Remembers services, sessions, events and samples. Drivers: the embedded store, MongoDB; all pass one suite.
 * A resolved write survives kill -9. Every `save` may be repeated without doing anything twice.
 * While the store is away calls are rejected (CodedError `store_unavailable`), soon; a record that it can never take is
 * rejected with `record_refused`.
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

  /** Of records of one session the first `createdAt` and the latest `lastSeenAt`, with all that came with it, are kept. */
  saveSessions(records: readonly SessionRecord[]): Promise<void>;
  /** Those that have not expired, the last seen first. `since` is about `lastSeenAt`. */
  listSessions(query: RecordQuery): Promise<SessionRecord[]>;
  /** How many sessions, not expired, each instance of a service has. */
  countSessions(service: string): Promise<Map<string, number>>;

  saveEvents(records: readonly EventRecord[]): Promise<void>;
  /** Oldest first. */
  listEvents(query: RecordQuery): Promise<EventRecord[]>;

  saveSamples(records: readonly SampleRecord[]): Promise<void>;
  /** Oldest first. */
  listSamples(query: RecordQuery): Promise<SampleRecord[]>;

  /** Tells the others what this process does; forgotten after `ttlMs`. */
  putProcess(record: ProcessRecord, ttlMs: number): Promise<void>;
  /** Those that are not forgotten. */
  listProcesses(): Promise<ProcessRecord[]>;

  /** Tells of every change from now on. A listener must not throw, and must not wait. Returns the way out. */
  watch(listener: (change: StoreChange) => void): () => void;

  /** Takes or renews the right if nobody else has it; returns who has it now. */
  claimLease(name: string, holder: string, ttlMs: number): Promise<Lease>;
  /** Gives it back, if this holder has it. */
  releaseLease(name: string, holder: string): Promise<void>;
}
