import { within } from '../../lib/within.ts';
import type { ActivityBoard } from '../activity-board.ts';
import { Departures, type Departure, type InstanceKeeper } from './departures.ts';
import { Leadership, type LeadershipTools } from './leadership.ts';
import { Neighbours } from './neighbours.ts';
import type { InstanceKey } from '../runtime.ts';
import { Starts } from './starts.ts';

/** The processes that look after the same services: who of them decides, and who tells of what. */
export interface Company {
  /** Whether this process decides about what it has started itself (or not), and tells what becomes of it. */
  inCharge(startedHere: boolean): boolean;
  /**
   * The same, asked anew: for what cannot be taken back.
   * @param unasked nobody wants it, such as to sleep: while the store is away it is done only where no other process may
   * be using it. [false]
   */
  confirm(startedHere: boolean, unasked?: boolean): Promise<boolean>;
  /** Whether this process tells of a start that was its own (or not): of several, only whose it was. */
  tellsOfStart(startedHere: boolean): boolean;
  /**
   * Says to the others that this process is about to stop an instance.
   * @param onWanted called when one of them has requests that wait for it
   */
  depart(key: InstanceKey, onWanted: () => void): Departure;
  /** Says to the others that this process starts an instance. Returns what to call when that is over. */
  starts(key: InstanceKey): () => void;
  /** Requests wait here for an instance that another process is about to stop. */
  want(key: InstanceKey): void;
  start(crew: Crew): Promise<void>;
  close(): Promise<void>;
}

/** What a process has in common with the others. */
export interface Crew {
  readonly activity: ActivityBoard;
  readonly keeper: InstanceKeeper;
  /** Called whenever this process begins to decide about everything. */
  readonly onElected: () => void;
}

/** One process that has its store for itself. */
export const ALONE: Company = {
  inCharge: () => true,
  confirm: () => Promise.resolve(true),
  tellsOfStart: () => true,
  depart: () => ({ untilLetGo: () => Promise.resolve(true), end: () => undefined }),
  starts: () => () => undefined,
  want: () => undefined,
  start: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** A store that takes longer to say who else is there is not waited for. */
const START_WAITS_MS = 3_000;
/** The others find out by themselves that a process has ended: a store that is slow holds up no end. */
const CLOSE_WAITS_MS = 2_000;

/** Several processes on one store: one of them leads, and knows what the others use. */
export class SharedCompany implements Company {
  readonly #tools: LeadershipTools;
  readonly #leadership: Leadership;
  #neighbours: Neighbours | undefined;
  #departures: Departures | undefined;
  #starts: Starts | undefined;

  constructor(tools: LeadershipTools) {
    this.#tools = tools;
    this.#leadership = new Leadership(tools);
  }

  inCharge(startedHere: boolean): boolean {
    return this.#leadership.inCharge(startedHere);
  }

  async confirm(startedHere: boolean, unasked = false): Promise<boolean> {
    if (await this.#leadership.confirm()) return true;
    if (!unasked) return this.#leadership.inCharge(startedHere);
    return startedHere && this.#leadership.abandoned && this.#neighbours?.ids.length === 0;
  }

  tellsOfStart(startedHere: boolean): boolean {
    return startedHere;
  }

  depart(key: InstanceKey, onWanted: () => void): Departure {
    return this.#departures?.begin(key, onWanted) ?? ALONE.depart(key, onWanted);
  }

  starts(key: InstanceKey): () => void {
    return this.#starts?.begin(key) ?? ALONE.starts(key);
  }

  want(key: InstanceKey): void {
    this.#departures?.want(key);
  }

  /** Called whenever this process begins to lead. */
  onElected(listener: () => void): void {
    this.#leadership.onElected(listener);
  }

  async start({ activity, keeper, onElected }: Crew): Promise<void> {
    const neighbours: Neighbours = new Neighbours(activity, this.#tools, {
      word: () => ({ ...departures.word(), starting: starts.own }),
      onHeard: (record) => {
        starts.heard(record);
        departures.heard(record);
      },
      onGone: (id) => {
        starts.gone(id);
        departures.gone(id);
      },
    });
    const departures = new Departures({ ...this.#tools, keeper, neighbours });
    const leads = (): boolean => this.#leadership.leads;
    const starts = new Starts({ tell: () => neighbours.tellQuietly(), leads, onOrphan: (key) => keeper.inherit(key) });
    this.#neighbours = neighbours;
    this.#departures = departures;
    this.#starts = starts;
    this.#leadership.onElected(() => {
      onElected();
      starts.tellOfOrphans();
    });
    // Who leads must know what the others use before it decides anything.
    const started = neighbours.start().then(() => this.#leadership.start());
    await within(this.#tools.clock, START_WAITS_MS, started);
  }

  async close(): Promise<void> {
    const closed = Promise.all([this.#leadership.close(), this.#neighbours?.close() ?? Promise.resolve()]);
    await within(this.#tools.clock, CLOSE_WAITS_MS, closed);
  }
}
