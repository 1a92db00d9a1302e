import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { ActivityBoard } from './activity-board.ts';
import type { ProcessRecord, StateStore } from './state-store.ts';

export interface NeighbourTools {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly processId: string;
}

/** Told this often at least: who has said nothing for `GONE_AFTER_MS` has ended. */
const TELL_EVERY_MS = 2_000;
const GONE_AFTER_MS = 8_000;
/** Changes that follow each other closely are told once. */
const TELL_AFTER_MS = 100;

/**
 * The other processes that share the store: each tells the others how busy it keeps every instance, so that whoever
 * leads puts nothing to sleep that another one uses.
 */
export class Neighbours {
  readonly #tools: NeighbourTools;
  readonly #activity: ActivityBoard;
  /** When each was heard last; monotonic. */
  readonly #heardMs = new Map<string, number>();
  readonly #unsubscribe: (() => void)[] = [];
  #told = '';
  #soon: Timer | undefined;
  #regularly: Timer | undefined;
  #closed = false;

  constructor(activity: ActivityBoard, tools: NeighbourTools) {
    this.#activity = activity;
    this.#tools = tools;
  }

  async start(): Promise<void> {
    const { store } = this.#tools;
    this.#unsubscribe.push(
      store.watch((change) => {
        if (change.kind === 'process') this.#heard(change.record);
        else if (change.kind === 'reread') void this.#readAll();
      }),
      this.#activity.onReport(() => this.#tellSoon()),
    );
    await this.#readAll();
    await this.#tell();
    this.#tellRegularly();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#soon?.cancel();
    this.#regularly?.cancel();
    const { store, processId } = this.#tools;
    await store.putProcess({ _id: processId, inFlight: {} }, 1).catch(() => undefined);
  }

  #heard({ _id, inFlight }: ProcessRecord): void {
    const { processId, clock } = this.#tools;
    if (_id === processId || this.#closed) return;
    this.#heardMs.set(_id, clock.now());
    this.#activity.tellOf(`process ${_id}`, inFlight);
  }

  async #readAll(): Promise<void> {
    const { store, log } = this.#tools;
    try {
      for (const record of await store.listProcesses()) this.#heard(record);
    } catch (error) {
      log.debug({ err: error }, `the other processes could not be read: ${messageOf(error)}`);
    }
  }

  #tellSoon(): void {
    if (this.#soon || JSON.stringify(this.#ownCounts()) === this.#told) return;
    this.#soon = this.#tools.clock.after(TELL_AFTER_MS, () => {
      this.#soon = undefined;
      void this.#tell();
    });
  }

  #tellRegularly(): void {
    if (this.#closed) return;
    this.#regularly = this.#tools.clock.after(TELL_EVERY_MS, () => {
      this.#forgetTheGone();
      void this.#tell().then(() => this.#tellRegularly());
    });
  }

  async #tell(): Promise<void> {
    const { store, log, processId } = this.#tools;
    const inFlight = this.#ownCounts();
    this.#told = JSON.stringify(inFlight);
    try {
      await store.putProcess({ _id: processId, inFlight }, GONE_AFTER_MS);
    } catch (error) {
      log.debug({ err: error }, `the other processes could not be told: ${messageOf(error)}`);
    }
  }

  #ownCounts(): ProcessRecord['inFlight'] {
    return this.#activity.counts((dataHalf) => !dataHalf.startsWith('process '));
  }

  #forgetTheGone(): void {
    const { clock, store } = this.#tools;
    // While the store is away nobody can be heard.
    if (!store.condition.up) return;
    for (const [id, heardMs] of this.#heardMs) {
      if (clock.now() - heardMs <= GONE_AFTER_MS) continue;
      this.#heardMs.delete(id);
      this.#activity.leave(`process ${id}`);
    }
  }
}
