import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import { deferred } from '../lib/deferred.ts';
import type { Logger } from '../lib/logger.ts';
import type { Member, MemberObserver } from './member.ts';
import { recordOf } from './service-record.ts';
import type { ServiceRecord, StateStore } from './state-store.ts';

export interface RegistryTools {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly proxyId: string;
}

/** Changes that follow each other closely are written once. */
const WRITE_AFTER_MS = 250;
/** A store that takes longer to be read at the start is not waited for. */
const LOAD_WITHIN_MS = 3_000;

/**
 * Writes what the fleet is to the store, behind it: nobody waits for it, the newest state of each service wins,
 * and what could not be written is written when the store is back.
 */
export class Registry implements MemberObserver {
  readonly #tools: RegistryTools;
  readonly #revs = new Map<string, number>();
  /** What waits to be written; undefined = removed from the manifest. At most one entry a service. */
  readonly #dirty = new Map<string, Member | undefined>();
  readonly #backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;
  /** Who still waits for what was known before. */
  #onRead: ((records: readonly ServiceRecord[]) => void) | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(tools: RegistryTools) {
    this.#tools = tools;
  }

  /**
   * Hands over what was known before. While the store is away this resolves all the same, soon, and what was known is
   * handed over as soon as it can be read.
   */
  async load(onRead: (records: readonly ServiceRecord[]) => void): Promise<void> {
    const { store, clock } = this.#tools;
    this.#stopWatching = store.watch(({ kind }) => {
      if (kind === 'reread') void this.#storeIsBack();
    });
    this.#onRead = onRead;
    const tooLong = deferred<undefined>();
    const timer = clock.after(LOAD_WITHIN_MS, () => tooLong.resolve(undefined));
    await Promise.race([this.#read(), tooLong.promise]);
    timer.cancel();
  }

  changed(member: Member): void {
    this.#dirty.set(member.name, member);
    this.#writeIn(WRITE_AFTER_MS);
  }

  removed(name: string): void {
    this.#dirty.set(name, undefined);
    this.#writeIn(WRITE_AFTER_MS);
  }

  /** Writes what is left, once. */
  async close(): Promise<void> {
    this.#stopWatching?.();
    this.#timer?.cancel();
    await this.#writing;
    await this.#write();
    this.#timer?.cancel();
  }

  async #storeIsBack(): Promise<void> {
    if (this.#onRead) await this.#read();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#backoff.reset();
    if (this.#dirty.size > 0) this.#writeIn(0);
  }

  async #read(): Promise<void> {
    const { store, log } = this.#tools;
    try {
      const records = await store.listServices();
      const onRead = this.#onRead;
      this.#onRead = undefined;
      for (const { _id, rev } of records) this.#revs.set(_id, Math.max(rev, this.#revs.get(_id) ?? 0));
      onRead?.(records);
    } catch (error) {
      // The store itself says, once, that it is away.
      log.debug({ err: error }, `the store could not be read: ${messageOf(error)}`);
    }
  }

  #writeIn(delayMs: number): void {
    if (this.#timer || this.#writing) return;
    this.#timer = this.#tools.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#dirty.size > 0) this.#writeIn(this.#failing ? this.#backoff.fail() : WRITE_AFTER_MS);
      });
    });
  }

  async #write(): Promise<void> {
    const { store, log } = this.#tools;
    // What was known before must not be overwritten by those who have not heard of it yet.
    if (this.#onRead) await this.#read();
    if (this.#onRead) {
      this.#failing = true;
      return;
    }
    for (const [name, member] of [...this.#dirty]) {
      try {
        this.#dirty.delete(name);
        if (member) await this.#put(member);
        else await store.removeService(name);
        this.#failing = false;
        this.#backoff.reset();
      } catch (error) {
        if (!this.#dirty.has(name)) this.#dirty.set(name, member);
        log.debug({ err: error }, `the store takes no writes: ${messageOf(error)}; kept until it does`);
        this.#failing = true;
        return;
      }
    }
  }

  async #put(member: Member): Promise<void> {
    const { store } = this.#tools;
    if (await store.putService(this.#nextRecord(member))) return;
    // The store was away when it was to be read: it remembers a rev that we do not know of.
    const stored = await store.getService(member.name);
    this.#revs.set(member.name, Math.max(stored?.rev ?? 0, this.#revs.get(member.name) ?? 0));
    await store.putService(this.#nextRecord(member));
  }

  #nextRecord(member: Member): ServiceRecord {
    const rev = (this.#revs.get(member.name) ?? 0) + 1;
    this.#revs.set(member.name, rev);
    return recordOf(member, rev, this.#tools.clock.epochMs(), this.#tools.proxyId);
  }
}
