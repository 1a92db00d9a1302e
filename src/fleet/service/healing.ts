import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';

export interface HealingTools {
  readonly clock: Clock;
  readonly log: Logger;
  readonly service: string;
  /** Whether anything of it has to run now. Nothing is missing where nothing has to. */
  readonly needed: () => boolean;
  /** How long to wait before the next try, in milliseconds; longer each time. */
  readonly nextInMs: () => number;
  /** Whether this process looks after it, now. */
  readonly mayHeal: () => Promise<boolean>;
  readonly wake: () => Promise<unknown>;
}

/** Brings back what a service is missing, without anybody asking; later if it keeps failing. */
export class Healing {
  readonly #tools: HealingTools;
  #timer: Timer | undefined;
  #closed = false;

  constructor(tools: HealingTools) {
    this.#tools = tools;
  }

  /** Something is missing, perhaps. */
  begin(): void {
    const { clock, needed, nextInMs } = this.#tools;
    if (this.#closed || !needed()) return;
    this.cancel();
    this.#timer = clock.after(nextInMs(), () => this.#heal());
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  close(): void {
    this.#closed = true;
    this.cancel();
  }

  #heal(): void {
    const { log, service, mayHeal, wake } = this.#tools;
    mayHeal()
      .then((may) => (may ? wake() : undefined))
      .catch((error: unknown) => {
        log.warn({ service, err: error }, `${service} could not be brought back`);
      });
  }
}
