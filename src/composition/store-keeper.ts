import type { Fleet } from '../fleet/fleet.ts';
import type { StateStore } from '../fleet/state-store.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';

export interface StoreKeeperTools {
  readonly fleet: Pick<Fleet, 'managed'>;
  readonly store: Pick<StateStore, 'condition'>;
  /** The service of the manifest that holds the database; undefined while somebody else runs it. */
  readonly service: () => string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 3_000;

/** Wakes the service that holds the daemon's own database, at the start and whenever the database is away. Nobody waits for that. */
export class StoreKeeper {
  readonly #tools: StoreKeeperTools;
  #timer: Timer | undefined;
  #closed = false;
  /** What the log has been told since the database was there last. */
  #told: string | undefined;

  constructor(tools: StoreKeeperTools) {
    this.#tools = tools;
  }

  start(): void {
    void this.#look(true).then(() => this.#again());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = this.#tools.clock.after(LOOK_EVERY_MS, () => void this.#look(false).then(() => this.#again()));
  }

  async #look(first: boolean): Promise<void> {
    const { fleet, store, service: find, log } = this.#tools;
    const service = find();
    if (service === undefined) return;
    if (store.condition.up && !first) {
      this.#told = undefined;
      return;
    }
    try {
      await fleet.managed(service).wake('boot');
    } catch (error) {
      const message = `the store stays away, for its service did not start: ${messageOf(error)}`;
      if (!this.#closed && this.#told !== message) log.warn({ service }, message);
      this.#told = message;
    }
  }
}
