import type { Clock, Timer } from '../lib/clock.ts';
import { deferred } from '../lib/deferred.ts';

interface OpenSuspicion {
  readonly settle: () => void;
  readonly timer: Timer;
}

/** A request waits for the answer before its second try: rather an early try than a long wait. */
const ANSWER_WITHIN_MS = 3_000;

/** The suspicions that the control process was told and has not looked into yet. */
export class OpenSuspicions {
  readonly #clock: Clock;
  readonly #tell: (id: number, service: string, instanceId: string) => void;
  readonly #open = new Map<number, OpenSuspicion>();
  #lastId = 0;

  constructor(clock: Clock, tell: (id: number, service: string, instanceId: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Resolves when it was looked into, or when nobody does. */
  add(service: string, instanceId: string): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    const looked = deferred<undefined>();
    const timer = this.#clock.after(ANSWER_WITHIN_MS, () => this.settle(id));
    this.#open.set(id, { settle: () => looked.resolve(undefined), timer });
    this.#tell(id, service, instanceId);
    return looked.promise;
  }

  settle(id: number): void {
    const suspicion = this.#open.get(id);
    this.#open.delete(id);
    suspicion?.timer.cancel();
    suspicion?.settle();
  }

  settleAll(): void {
    for (const id of [...this.#open.keys()]) this.settle(id);
  }
}
