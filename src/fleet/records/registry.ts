import { Backoff } from '../../lib/backoff.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import { within } from '../../lib/within.ts';
import type { Member, MemberObserver } from '../member.ts';
import { recordOf } from './service-record.ts';
import type { ServiceRecord, StateStore } from '../state-store.ts';

/** Who hears of what others have written. */
export interface RegistryReader {
  /** What was known before the start; once. */
  readonly read: (records: readonly ServiceRecord[]) => void;
  /** Another process has changed a service. */
  readonly changed: (record: ServiceRecord) => void;
}

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
const CLOSE_WAITS_MS = 3_000;

/**
 * Writes what the fleet is to the store, behind it: nobody waits for it, the newest state of each service wins,
 * and what could not be written is written when the store is back.
 */
export class Registry implements MemberObserver {
  readonly #tools: RegistryTools;
  /** What the store is known to hold, by name. */
  readonly #known = new Map<string, Pick<ServiceRecord, 'rev' | 'desired'>>();
  /** What waits to be written; undefined = removed from the manifest. At most one entry a service. */
  readonly #dirty = new Map<string, Member | undefined>();
  readonly #backoff = new Backoff({ initialMs: 250, maxMs: 10_000 });
  readonly #members = new Map<string, Member>();
  /** Before anybody asked for anything. */
  readonly #firstDesired = new Map<string, number>();
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;
  /** Who still waits for what was known before. */
  #onRead: RegistryReader['read'] | undefined;
  #onChanged: RegistryReader['changed'] | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(tools: RegistryTools) {
    this.#tools = tools;
  }

  /**
   * Hands over what was known before. While the store is away this resolves all the same, soon, and what was known is
   * handed over as soon as it can be read.
   */
  async load({ read, changed }: RegistryReader): Promise<void> {
    const { store, clock } = this.#tools;
    this.#onChanged = changed;
    this.#stopWatching = store.watch((change) => {
      if (change.kind === 'reread') void this.#storeIsBack();
      else if (change.kind === 'service') this.#heard(change.record);
    });
    this.#onRead = read;
    await within(clock, LOAD_WITHIN_MS, this.#read());
  }

  changed(member: Member): void {
    this.#members.set(member.name, member);
    if (!this.#firstDesired.has(member.name)) this.#firstDesired.set(member.name, member.desired);
    this.#dirty.set(member.name, member);
    this.#writeIn(WRITE_AFTER_MS);
  }

  removed(name: string): void {
    this.#members.delete(name);
    this.#firstDesired.delete(name);
    this.#dirty.set(name, undefined);
    this.#writeIn(WRITE_AFTER_MS);
  }

  /** Writes what is left, once. A store that is slow does not hold up the end. */
  async close(): Promise<void> {
    this.#stopWatching?.();
    this.#timer?.cancel();
    const written = Promise.resolve(this.#writing).then(() => this.#write());
    await within(this.#tools.clock, CLOSE_WAITS_MS, written);
    this.#timer?.cancel();
  }

  async #storeIsBack(): Promise<void> {
    await this.#read();
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
      if (!onRead) {
        for (const record of records) this.#heard(record);
        return;
      }
      for (const { _id, rev, desired } of records) this.#known.set(_id, { rev, desired });
      onRead(records);
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
    if (await this.#stored(member)) return;
    // Another process was faster, or the store remembers what was written before we could read it.
    const stored = await store.getService(member.name);
    if (stored) this.#heard(stored);
    if (!(await this.#stored(member))) this.#dirty.set(member.name, member);
  }

  async #stored(member: Member): Promise<boolean> {
    const { store, clock, proxyId } = this.#tools;
    const known = this.#known.get(member.name);
    const record = recordOf(member, (known?.rev ?? 0) + 1, clock.epochMs(), proxyId);
    const stored = await store.putService(record);
    if (stored) this.#known.set(member.name, { rev: record.rev, desired: record.desired });
    return stored;
  }

  /**
   * What the store holds now. Unless we have an own change to write, how many instances there are to be is taken over
   * before we write again: or a late write would undo a newer one.
   */
  #heard(record: ServiceRecord): void {
    const { _id: name, rev, desired, proxyId } = record;
    const known = this.#known.get(name);
    if (known && known.rev >= rev) return;
    this.#known.set(name, { rev, desired });
    const written = this.#members.get(name);
    const ownChange = written !== undefined && written.desired !== (known?.desired ?? this.#firstDesired.get(name));
    if (proxyId !== this.#tools.proxyId && !ownChange) this.#onChanged?.(record);
  }
}
