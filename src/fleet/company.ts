import type { ActivityBoard } from './activity-board.ts';
import { Leadership, type LeadershipTools } from './leadership.ts';
import { Neighbours } from './neighbours.ts';

/** The processes that look after the same services: who of them decides. */
export interface Company {
  /** Whether this process decides about what it has started itself (or not). */
  inCharge(startedHere: boolean): boolean;
  /** The same, asked anew: for what cannot be taken back. */
  confirm(startedHere: boolean): Promise<boolean>;
  /** @param onElected called whenever this process begins to decide about everything */
  start(activity: ActivityBoard, onElected: () => void): Promise<void>;
  close(): Promise<void>;
}

/** One process that has its store for itself. */
export const ALONE: Company = {
  inCharge: () => true,
  confirm: () => Promise.resolve(true),
  start: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Several processes on one store: one of them leads, and knows what the others use. */
export class SharedCompany implements Company {
  readonly #tools: LeadershipTools;
  readonly #leadership: Leadership;
  #neighbours: Neighbours | undefined;

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

  async start(activity: ActivityBoard, onElected: () => void): Promise<void> {
    // Who leads must know what the others use before it decides anything.
    this.#neighbours = new Neighbours(activity, this.#tools);
    await this.#neighbours.start();
    this.#leadership.onElected(onElected);
    await this.#leadership.start();
  }

  async close(): Promise<void> {
    await this.#leadership.close();
    await this.#neighbours?.close();
  }
}
