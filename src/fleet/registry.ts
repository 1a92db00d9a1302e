import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
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

  constructor(tools: RegistryTools) {
    this.#tools = tools;
  }

  /** What was known before; empty when the store is away. */
  async load(): Promise<Map<string, ServiceRecord>> {
    try {
      const records = await this.#tools.store.listServices();
      for (const { _id, rev } of records) this.#revs.set(_id, rev);
      return new Map(records.map((record) => [record._id, record]));
    } catch (error) {
      this.#tools.log.warn({ err: error }, `the store could not be read: ${messageOf(error)}`);
      return new Map();
    }
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
    this.#timer?.cancel();
    await this.#writing;
    await this.#write();
    this.#timer?.cancel();
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
    for (const [name, member] of [...this.#dirty]) {
      try {
        this.#dirty.delete(name);
        if (member) await this.#put(member);
        else await store.removeService(name);
        if (this.#failing) log.info('the store takes writes again');
        this.#failing = false;
        this.#backoff.reset();
      } catch (error) {
        if (!this.#dirty.has(name)) this.#dirty.set(name, member);
        if (!this.#failing)
          log.warn({ err: error }, `the store takes no writes: ${messageOf(error)}; kept until it does`);
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
