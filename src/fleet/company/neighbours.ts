import type { Clock, Timer } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import { Lane } from '../../lib/lane.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ActivityBoard } from '../activity-board.ts';
import type { ProcessRecord, StateStore } from '../state-store.ts';

export interface NeighbourTools {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly processId: string;
}

/** What a process says beside how busy it is. */
export type Word = Pick<ProcessRecord, 'departures' | 'letGo' | 'wanted' | 'starting'>;

export interface NeighbourListener {
  /** What this process has to say now. */
  readonly word: () => Word;
  /** Another process has said something; the counts of it are on the board. */
  readonly onHeard: (record: ProcessRecord) => void;
  /** Nothing more will be heard of it. */
  readonly onGone: (id: string) => void;
}

/** Told this often at least: who has said nothing for `GONE_AFTER_MS` has ended. */
const TELL_EVERY_MS = 2_000;
export const GONE_AFTER_MS = 8_000;
/** Changes that follow each other closely are told once. */
const TELL_AFTER_MS = 100;

/**
 * The other processes that share the store: each tells the others how busy it keeps every instance, so that whoever
 * leads puts nothing to sleep that another one uses.
 */
export class Neighbours {
  readonly #tools: NeighbourTools;
  readonly #activity: ActivityBoard;
  readonly #listener: NeighbourListener;
  /** When each was heard last, monotonic, and which of its words. */
  readonly #heard = new Map<string, { atMs: number; seq: number }>();
  readonly #unsubscribe: (() => void)[] = [];
  /** What is written out of order would be out of date. */
  readonly #writes = new Lane();
  /** What has not been begun yet says the newest when it is. */
  #waiting: Promise<void> | undefined;
  #seq = 0;
  #told = '{}';
  #soon: Timer | undefined;
  #regularly: Timer | undefined;
  #closed = false;

  constructor(activity: ActivityBoard, tools: NeighbourTools, listener: NeighbourListener) {
    this.#activity = activity;
    this.#tools = tools;
    this.#listener = listener;
  }

  /** Those that live, as far as it is known. */
  get ids(): readonly string[] {
    return [...this.#heard.keys()];
  }

  async start(): Promise<void> {
    this.#unsubscribe.push(
      this.#tools.store.watch((change) => {
        if (change.kind === 'process') this.#hear(change.record);
        else if (change.kind === 'reread') void this.#quietly(() => this.read());
      }),
      this.#activity.onReport(() => this.#tellSoon()),
    );
    // In this order: whoever does not see us yet has said before what we read now.
    await this.#quietly(() => this.tell());
    await this.#quietly(() => this.read());
    this.#tellRegularly();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#soon?.cancel();
    this.#regularly?.cancel();
    const last = { inFlight: {}, departures: [], letGo: [], wanted: [], ended: true };
    await this.#quietly(() => this.#writes.run(() => this.#write(last, 1)));
  }

  /** Resolves when the others can know it. @throws CodedError as the store does */
  tell(): Promise<void> {
    this.#waiting ??= this.#writes.run(() => {
      this.#waiting = undefined;
      const inFlight = this.#activity.ownCounts();
      this.#activity.forgetUse();
      this.#told = JSON.stringify(this.#activity.ownCounts());
      return this.#write({ inFlight, ...this.#listener.word() }, GONE_AFTER_MS);
    });
    return this.#waiting;
  }

  /** As `tell`; should the store be away, it is told again before long. */
  tellQuietly(): void {
    void this.#quietly(() => this.tell());
  }

  /** Hears of all that are there now. @throws CodedError as the store does */
  async read(): Promise<void> {
    const { store, clock } = this.#tools;
    const records = await store.listProcesses();
    for (const record of records) this.#hear(record);
    const there = new Set(records.map(({ _id }) => _id));
    // Not by our clock alone: after we were frozen ourselves all others would seem to have ended.
    for (const [id, { atMs }] of this.#heard)
      if (!there.has(id) && clock.now() - atMs > GONE_AFTER_MS) this.#forget(id);
  }

  #hear(record: ProcessRecord): void {
    const { processId, clock } = this.#tools;
    const { _id: id, seq, inFlight, ended } = record;
    if (id === processId || this.#closed || seq <= (this.#heard.get(id)?.seq ?? 0)) return;
    this.#heard.set(id, { atMs: clock.now(), seq });
    this.#activity.tellOf(`process ${id}`, inFlight);
    if (ended) this.#forget(id);
    else this.#listener.onHeard(record);
  }

  #write(word: Omit<ProcessRecord, '_id' | 'seq'>, ttlMs: number): Promise<void> {
    const { store, processId } = this.#tools;
    this.#seq += 1;
    return store.putProcess({ _id: processId, seq: this.#seq, ...word }, ttlMs);
  }

  #tellSoon(): void {
    if (this.#soon || this.#closed || JSON.stringify(this.#activity.ownCounts()) === this.#told) return;
    this.#soon = this.#tools.clock.after(TELL_AFTER_MS, () => {
      this.#soon = undefined;
      this.tellQuietly();
    });
  }

  #tellRegularly(): void {
    if (this.#closed) return;
    this.#regularly = this.#tools.clock.after(TELL_EVERY_MS, () => {
      // At once: with a store that takes seconds for each we would be taken for gone.
      const talks = [this.#quietly(() => this.tell()), this.#quietly(() => this.read())];
      void Promise.all(talks).then(() => this.#tellRegularly());
    });
  }

  #forget(id: string): void {
    this.#heard.delete(id);
    this.#activity.leave(`process ${id}`);
    this.#listener.onGone(id);
  }

  async #quietly(talk: () => Promise<void>): Promise<void> {
    try {
      await talk();
    } catch (error) {
      // The store itself says, once, that it is away.
      this.#tools.log.debug({ err: error }, `the other processes do not hear us, or we them: ${messageOf(error)}`);
    }
  }
}
