import type { Clock, Timer } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { StateStore } from '../state-store.ts';

export interface LeadershipTools {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Those who share it elect one of them. */
  readonly project: string;
  /** Unique among all processes, also of one daemon that was started again. */
  readonly processId: string;
}

/** Renewed twice before it runs out; who waits for it asks when it does: a takeover takes this and a second at most. */
const LEASE_MS = 6_000;
const RENEW_MS = 2_000;
const ASK_MS = 1_000;
/** We stop before the store lets another begin. */
const MARGIN_MS = 500;
/** A right that was confirmed so recently need not be confirmed again. */
const FRESH_MS = 1_000;
/** The store was asked in vain so often, a second apart, before it counts as away: a frozen process does not ask. */
const AWAY_AFTER = 8;

/** Which of the processes that share a store reconciles, scales and puts to sleep: the one that holds the lease. */
export class Leadership {
  readonly #tools: LeadershipTools;
  readonly #lease: string;
  readonly #listeners = new Set<() => void>();
  #timer: Timer | undefined;
  /** Monotonic: until when nobody else can have the lease. */
  #untilMs = 0;
  #confirmedMs = -Infinity;
  #askedInVain = 0;
  #leads = false;
  #closed = false;

  constructor(tools: LeadershipTools) {
    this.#tools = tools;
    this.#lease = `leader:${tools.project}`;
  }

  /** Whether it is certain, now, that nobody else leads. */
  get leads(): boolean {
    return this.#tools.clock.now() < this.#untilMs;
  }

  /**
   * Whether this process decides about what it has started itself (or not). While the store is away nobody leads for
   * long, and everybody looks after his own.
   */
  inCharge(startedHere: boolean): boolean {
    return this.leads || (startedHere && !this.#tools.store.condition.up);
  }

  /**
   * Whether the store has been away for so long that nobody can lead, and for this process too: one that was frozen finds
   * its connections dead although another may lead by now.
   */
  get abandoned(): boolean {
    return !this.#tools.store.condition.up && this.#askedInVain >= AWAY_AFTER;
  }

  /** Called whenever this process begins to lead. */
  onElected(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.#closed) return;
    await this.#ask();
    this.#again();
  }

  /** Asks the store unless it has been asked just now: for what cannot be taken back. */
  async confirm(): Promise<boolean> {
    if (this.#tools.clock.now() - this.#confirmedMs > FRESH_MS) await this.#claim();
    return this.leads;
  }

  /** Lets another process lead at once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const led = this.leads;
    this.#untilMs = 0;
    const { store, processId } = this.#tools;
    if (led) await store.releaseLease(this.#lease, processId).catch(() => undefined);
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = this.#tools.clock.after(
      this.leads ? RENEW_MS : ASK_MS,
      () => void this.#ask().then(() => this.#again()),
    );
  }

  async #ask(): Promise<void> {
    this.#askedInVain = (await this.#claim()) ? 0 : this.#askedInVain + 1;
  }

  /** @returns whether the store has answered */
  async #claim(): Promise<boolean> {
    const { store, clock, log, processId } = this.#tools;
    // Counted from before the question: the answer may take long.
    const askedMs = clock.now();
    try {
      const { holder, term } = await store.claimLease(this.#lease, processId, LEASE_MS);
      if (this.#closed) return true;
      this.#untilMs = holder === processId ? askedMs + LEASE_MS - MARGIN_MS : 0;
      if (holder === processId) this.#confirmedMs = clock.now();
      if (this.leads !== this.#leads) this.#changed(holder, term);
      return true;
    } catch (error) {
      log.debug({ err: error }, `the lease could not be asked for: ${messageOf(error)}`);
      return false;
    }
  }

  #changed(holder: string, term: number): void {
    this.#leads = this.leads;
    const { log } = this.#tools;
    if (!this.#leads) {
      log.info({ leader: holder, term }, `${holder} leads: it puts services to sleep and scales them`);
      return;
    }
    log.info({ leader: holder, term }, 'this process leads: it puts services to sleep and scales them');
    for (const listener of this.#listeners) listener();
  }
}
