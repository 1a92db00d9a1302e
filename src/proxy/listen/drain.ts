import type { ConnectionGate } from './connection-gate.ts';
import type { Http1Front } from './http1-front.ts';
import type { Http2Front } from './http2-front.ts';

export interface DrainOptions {
  /** When the rest is cut. */
  readonly timeoutMs: number;
  /** How long idle HTTP/1 connections may still bring one request, which is answered with `Connection: close`; a second unless given. */
  readonly announceMs?: number;
}

export interface DrainTargets {
  readonly gate: ConnectionGate;
  readonly http1: Http1Front;
  readonly http2?: Http2Front;
}

const ANNOUNCE_MS = 1_000;

/**
 * How connections come to their end. An idle HTTP/1 connection cannot be told that it will close: a request may be on
 * its way. So answers announce the close for a while first, and only what stayed idle is closed without a word.
 */
export class Drain {
  readonly #targets: DrainTargets;
  #deadline = Infinity;
  #cut: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(targets: DrainTargets) {
    this.#targets = targets;
  }

  /** May be called again with an earlier deadline. */
  run({ timeoutMs, announceMs = ANNOUNCE_MS }: DrainOptions): Promise<void> {
    this.#cutAfter(timeoutMs);
    this.#running ??= this.#run(Math.min(announceMs, timeoutMs));
    return this.#running;
  }

  async #run(announceMs: number): Promise<void> {
    const { gate, http1, http2 } = this.#targets;
    http1.announceClose();
    http2?.drain();
    const closeIdle = (): void => {
      http1.closeIdle();
      // Those whose handshake was still under way.
      http2?.drain();
    };
    const announced = setTimeout(closeIdle, announceMs);
    await gate.whenEmpty();
    clearTimeout(announced);
    clearTimeout(this.#cut);
  }

  #cutAfter(timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    clearTimeout(this.#cut);
    this.#cut = setTimeout(() => this.#targets.gate.destroyAll(), timeoutMs);
  }
}
