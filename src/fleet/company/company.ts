import type { ActivityBoard } from '../activity-board.ts';
import { Departures, type Departure, type InstanceKeeper } from './departures.ts';
import { Leadership, type LeadershipTools } from './leadership.ts';
import { Neighbours } from './neighbours.ts';
import type { InstanceKey } from '../runtime.ts';

/** The processes that look after the same services: who of them decides, and who tells of what. */
export interface Company {
  /** Whether this process decides about what it has started itself (or not), and tells what becomes of it. */
  inCharge(startedHere: boolean): boolean;
  /** The same, asked anew: for what cannot be taken back. */
  confirm(startedHere: boolean): Promise<boolean>;
  /** Whether this process tells of a start that was its own (or not): of several, only whose it was. */
  tellsOfStart(startedHere: boolean): boolean;
  /**
   * Says to the others that this process is about to stop an instance.
   * @param onWanted called when one of them has requests that wait for it
   */
  depart(key: InstanceKey, onWanted: () => void): Departure;
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
  want: () => undefined,
  start: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Several processes on one store: one of them leads, and knows what the others use. */
export class SharedCompany implements Company {
  readonly #tools: LeadershipTools;
  readonly #leadership: Leadership;
  #neighbours: Neighbours | undefined;
  #departures: Departures | undefined;

  constructor(tools: LeadershipTools) {
    this.#tools = tools;
    this.#leadership = new Leadership(tools);
  }

  inCharge(startedHere: boolean): boolean {
    return this.#leadership.inCharge(startedHere);
  }

  async confirm(startedHere: boolean): Promise<boolean> {
    return (await this.#leadership.confirm()) || this.#leadership.inCharge(startedHere);
  }

  tellsOfStart(startedHere: boolean): boolean {
    return startedHere;
  }

  depart(key: InstanceKey, onWanted: () => void): Departure {
    return this.#departures?.begin(key, onWanted) ?? ALONE.depart(key, onWanted);
  }

  want(key: InstanceKey): void {
    this.#departures?.want(key);
  }

  async start({ activity, keeper, onElected }: Crew): Promise<void> {
    // Who leads must know what the others use before it decides anything.
    const neighbours: Neighbours = new Neighbours(activity, this.#tools, {
      word: () => departures.word(),
      onHeard: (record) => departures.heard(record),
      onGone: (id) => departures.gone(id),
    });
    const departures = new Departures({ ...this.#tools, keeper, neighbours });
    this.#neighbours = neighbours;
    this.#departures = departures;
    await neighbours.start();
    this.#leadership.onElected(onElected);
    await this.#leadership.start();
  }

  async close(): Promise<void> {
    await this.#leadership.close();
    await this.#neighbours?.close();
  }
}
