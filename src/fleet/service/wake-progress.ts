import type { Clock } from '../../lib/clock.ts';
import type { WakePhase, WakeProgress } from '../../seam/fleet-view.ts';

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 500;

/** The part of the whole that each phase takes in the picture: from, to. A guess, and drawn as one. */
const SPAN: Record<WakePhase, readonly [number, number]> = {
  queued: [0, 0],
  dependencies: [0, 0.15],
  pull: [0.15, 0.7],
  build: [0.15, 0.7],
  start: [0.7, 0.8],
  ready: [0.8, 0.95],
};

/** Follows one wake from the request to the first answer, for those who wait in front of it. */
export class WakeTracker {
  readonly #startedAtEpochMs: number;
  readonly #onChange: () => void;
  #phase: WakePhase = 'queued';
  #detail = '';
  #ratio = 0;
  readonly #lines: string[] = [];

  constructor(clock: Clock, onChange: () => void) {
    this.#startedAtEpochMs = clock.epochMs();
    this.#onChange = onChange;
  }

  /** @param ratio 0 to 1 of this phase */
  enter(phase: WakePhase, detail: string, ratio = 0): void {
    const [from, to] = SPAN[phase];
    this.#phase = phase;
    this.#detail = detail.slice(0, MAX_LINE_LENGTH);
    // A runtime that divides nothing by nothing knows no ratio.
    const share = Number.isNaN(ratio) ? 0 : Math.min(1, Math.max(0, ratio));
    this.#ratio = Math.max(this.#ratio, from + (to - from) * share);
    this.#onChange();
  }

  line(text: string): void {
    this.#lines.push(text.slice(0, MAX_LINE_LENGTH));
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.#onChange();
  }

  view(): WakeProgress {
    return {
      phase: this.#phase,
      detail: this.#detail,
      ratio: this.#ratio,
      startedAtEpochMs: this.#startedAtEpochMs,
      lines: [...this.#lines],
    };
  }
}
