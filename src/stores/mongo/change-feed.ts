import {
  MongoError,
  MongoServerError,
  type ChangeStream,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  type Db,
  type ResumeToken,
  type Timestamp,
} from 'mongodb';
import type { StoreChange } from '../../fleet/state-store.ts';

export interface ChangeFeedOptions {
  readonly toChange: (collection: string, document: object) => StoreChange | undefined;
  readonly tell: (change: StoreChange) => void;
  /** The stream ended with an error that another try may not have: the store is away. */
  readonly failed: (error: unknown) => void;
}

/** The place in the history that we stopped at is not there any more. */
const HISTORY_LOST = new Set([280, 286]);

/** Tells of the changes in a database, from where it stopped the last time. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  #token: ResumeToken;
  #stream: ChangeStream | undefined;
  #closed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** The database can be used (again): what was missed is told first. */
  async open(database: Db): Promise<void> {
    if (this.#closed) return;
    await this.#stream?.close().catch(() => undefined);
    const position = await this.#position(database);
    const stream = database.watch([{ $match: { 'ns.coll': { $in: ['services', 'sessions', 'processes'] } } }], {
      fullDocument: 'updateLookup',
      ...position,
    });
    this.#stream = stream;
    this.#pump(database, stream).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#stream?.close().catch(() => undefined);
  }

  /**
   * Where it stopped; the first time from now on. What is read after this call is not older than what will be told: so
   * nothing falls between the two.
   */
  async #position(database: Db): Promise<ChangeStreamOptions> {
    if (this.#token !== undefined) return { resumeAfter: this.#token };
    const { operationTime } = await database.command({ ping: 1 });
    return operationTime === undefined ? {} : { startAtOperationTime: operationTime as Timestamp };
  }

  async #pump(database: Db, stream: ChangeStream): Promise<void> {
    try {
      for (;;) {
        const change = await stream.next();
        this.#token = stream.resumeToken;
        if (change.operationType === 'invalidate') throw new HistoryLost();
        this.#tell(change);
      }
    } catch (error) {
      if (this.#closed || this.#stream !== stream) return;
      this.#token = stream.resumeToken ?? this.#token;
      await stream.close().catch(() => undefined);
      if (!isHistoryLost(error)) {
        this.#options.failed(error);
        return;
      }
      this.#token = undefined;
      await this.open(database).catch((again: unknown) => this.#options.failed(again));
      this.#options.tell({ kind: 'reread' });
    }
  }

  #tell(change: ChangeStreamDocument): void {
    const { tell, toChange } = this.#options;
    if (!('ns' in change) || !('documentKey' in change)) return;
    const collection = 'coll' in change.ns ? change.ns.coll : '';
    const id = String(change.documentKey._id);
    if (change.operationType === 'delete') {
      if (collection === 'services') tell({ kind: 'service-removed', name: id });
      else if (collection === 'sessions') tell({ kind: 'session-removed', id });
      return;
    }
    // Absent when it has been removed since: that is told next.
    const document = 'fullDocument' in change ? change.fullDocument : undefined;
    if (!document) return;
    const told = toChange(collection, document);
    if (told) tell(told);
  }
}

class HistoryLost extends Error {}

function isHistoryLost(error: unknown): boolean {
  if (error instanceof HistoryLost) return true;
  if (error instanceof MongoServerError && HISTORY_LOST.has(Number(error.code))) return true;
  return error instanceof MongoError && error.hasErrorLabel('NonResumableChangeStreamError');
}
