import type { Clock, Timer } from '../../../src/lib/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** A clock that moves only when it is told to. Calls that are due at one instant run in the order they were asked for. */
export class FakeClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #startEpochMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startEpochMs = Date.UTC(2026, 0, 1)) {
    this.#startEpochMs = startEpochMs;
  }

  now(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return this.#startEpochMs + this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const pending: Pending = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, action };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** How many calls wait for their time. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** How long until the next call is due, or undefined when none waits. */
  get nextInMs(): number | undefined {
    const next = this.#next();
    return next && next.dueMs - this.#nowMs;
  }

  /** Moves on by `ms` and makes every call that falls due on the way, each at its own instant. Promises are not given time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
  }

  /** As `advance`, and lets promises settle before the first call, between the calls, and after the last. */
  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    do await settle();
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
    await settle();
  }

  /** Time passes while the process stands still: what falls due is called when time moves on again. */
  freeze(ms: number): void {
    this.#nowMs += ms;
  }

  #runNext(untilMs: number): boolean {
    const next = this.#next();
    if (!next || next.dueMs > untilMs) return false;
    this.#pending.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.action();
    return true;
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (!first || pending.dueMs < first.dueMs || (pending.dueMs === first.dueMs && pending.order < first.order)) {
        first = pending;
      }
    }
    return first;
  }
}

/** Lets every promise that can settle do so: an immediate runs only once the queue of microtasks is empty. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
