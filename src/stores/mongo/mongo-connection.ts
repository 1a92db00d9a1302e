import { MongoClient, type Db } from 'mongodb';
import type { StoreCondition } from '../../fleet/state-store.ts';
import { Backoff } from '../../lib/backoff.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { localhostLookup } from '../../lib/localhost-lookup.ts';
import type { Logger } from '../../lib/logger.ts';
import { isRefusal, isUnauthorized, outageReason, secretsOf, uriError } from './outage.ts';

export interface MongoLimits {
  readonly poolSize: number;
  /** How long it may take to connect to a member, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long to look for a primary, an election included. */
  readonly selectionTimeoutMs: number;
  /** How long a member may take to answer. */
  readonly answerTimeoutMs: number;
}

export interface MongoConnectionOptions {
  readonly uri: string;
  readonly databaseName: string;
  readonly limits: MongoLimits;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes what is missing in the database, and proves that it takes writes. Done again whenever it comes back. */
  readonly prepare: (database: Db) => Promise<void>;
  /** It can be used (again). */
  readonly onUp: () => void;
}

/** A start goes on without the store after this long; it is waited for behind. */
const START_WAITS_MS = 2_000;
const STARTED_LATER: StoreCondition = { up: false, reason: 'not connected yet' };

/**
 * One client for one database. While it is down every call is rejected at once, and a loop of its own tries to get it
 * back: so whoever calls knows soon, and there is one line in the log for each change.
 */
export class MongoConnection {
  readonly #options: MongoConnectionOptions;
  #client: MongoClient;
  readonly #secrets: readonly string[];
  readonly #closing = new AbortController();
  #condition: StoreCondition = { up: false, reason: 'not started' };
  #recovering: Promise<void> | undefined;

  /** @throws CodedError `uri_refused` */
  constructor(options: MongoConnectionOptions) {
    this.#options = options;
    this.#secrets = secretsOf(options.uri);
    this.#client = newClient(options);
  }

  get condition(): StoreCondition {
    return this.#condition;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves when it is up, or soon all the same. */
  async start(): Promise<void> {
    if (this.#recovering || this.#condition.up) return;
    this.#condition = STARTED_LATER;
    // The timers of the clock keep no process alive, and while a server is away there may be nothing else that does.
    const held = setInterval(() => undefined, START_WAITS_MS);
    await Promise.race([this.#recover(), sleep(this.#options.clock, START_WAITS_MS, this.#closing.signal)]);
    clearInterval(held);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#condition = { up: false, reason: 'closed' };
    await this.#client.close(true);
    await this.#recovering;
  }

  /** @throws CodedError `store_closed`, `store_unavailable`, `record_refused` */
  async run<T>(work: (database: Db) => Promise<T>): Promise<T> {
    this.#throwIfAway();
    try {
      return await work(this.#database);
    } catch (error) {
      this.#throwIfAway();
      throw this.failed(error);
    }
  }

  /** Something failed: what to throw instead. Unless the fault lay in a record the store is away from here on. */
  failed(error: unknown): CodedError {
    if (error instanceof CodedError) return error;
    const reason = outageReason(error, this.#secrets);
    if (isRefusal(error)) return new CodedError('record_refused', `MongoDB refuses a record: ${reason}`);
    this.#down(reason);
    return this.#unavailable(reason);
  }

  get #database(): Db {
    return this.#client.db(this.#options.databaseName);
  }

  #throwIfAway(): void {
    if (this.closed) throw new CodedError('store_closed', 'The MongoDB store is not open: it was closed.');
    if (!this.#condition.up) throw this.#unavailable(this.#condition.reason);
  }

  #unavailable(reason: string): CodedError {
    return new CodedError('store_unavailable', `MongoDB cannot be used: ${reason}`);
  }

  #recover(): Promise<void> {
    this.#recovering ??= this.#untilUp().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  async #untilUp(): Promise<void> {
    const { clock, prepare, log, onUp } = this.#options;
    const backoff = new Backoff({ initialMs: 250, maxMs: 5_000 });
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#client.connect();
        await prepare(this.#database);
        signal.throwIfAborted();
        this.#condition = { up: true };
        log.info({ store: 'mongo' }, 'MongoDB answers');
        onUp();
        return;
      } catch (error) {
        this.#down(outageReason(error, this.#secrets));
        if (isUnauthorized(error)) await this.#connectAnew();
        await sleep(clock, backoff.fail(), signal);
      }
    }
  }

  /** A connection stays what its user was when it was made, also when the user may do more by now. */
  async #connectAnew(): Promise<void> {
    if (this.closed) return;
    const before = this.#client;
    this.#client = newClient(this.#options);
    await before.close(true).catch(() => undefined);
  }

  #down(reason: string): void {
    if (this.closed) return;
    const tellable = this.#condition.up || this.#condition === STARTED_LATER;
    this.#condition = { up: false, reason };
    if (tellable)
      this.#options.log.warn({ store: 'mongo' }, `MongoDB cannot be used: ${reason}; what is to be kept waits`);
    void this.#recover();
  }
}

/** @throws CodedError `uri_refused` */
function newClient({ uri, limits }: MongoConnectionOptions): MongoClient {
  try {
    const client = new MongoClient(uri, {
      appName: 'reveille',
      maxPoolSize: limits.poolSize,
      connectTimeoutMS: limits.connectTimeoutMs,
      serverSelectionTimeoutMS: limits.selectionTimeoutMs,
      socketTimeoutMS: limits.answerTimeoutMs,
      // A pool that is used up must not become a second queue.
      waitQueueTimeoutMS: limits.answerTimeoutMs,
      heartbeatFrequencyMS: 2_000,
      writeConcern: { w: 'majority', wtimeoutMS: limits.answerTimeoutMs },
      readConcern: { level: 'majority' },
      retryWrites: true,
      ignoreUndefined: true,
      lookup: localhostLookup,
    });
    client.on('error', () => undefined);
    return client;
  } catch (error) {
    throw uriError(error, uri);
  }
}
