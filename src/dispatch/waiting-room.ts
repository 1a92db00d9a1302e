import type { Clock, Timer } from '../lib/clock.ts';
import { DispatchError } from './errors.ts';

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
  readonly timer: Timer;
}

export interface WaitingLimits {
  readonly maxWaiting: number;
  /** How many wait in other rooms for the same service; they count as well. */
  readonly waitingElsewhere?: number;
  /** How long the wake that they wait for may take. */
  readonly timeoutMs: number;
}

/** The wake has the same limit, and when it fails it knows the reason: it gets the time to tell. */
const GRACE_MS = 1000;

/** Where requests wait for one service to wake: bounded in number and in time, let in all at once. */
export class WaitingRoom<T> {
  readonly #waiters = new Set<Waiter<T>>();
  readonly #clock: Clock;
  readonly #service: string;
  readonly #onChange: () => void;

  /** @param onChange is called whenever somebody came or left */
  constructor(clock: Clock, service: string, onChange: () => void) {
    this.#clock = clock;
    this.#service = service;
    this.#onChange = onChange;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Waits to be admitted; one that leaves by `signal` frees its place at once (the promise then rejects with the signal's reason).
   * @throws DispatchError `waiting_room_full` at once, `wake_timeout` after the limit.
   */
  enter(limits: WaitingLimits, signal: AbortSignal): Promise<T> {
    const { maxWaiting, waitingElsewhere = 0 } = limits;
    if (this.#waiters.size + waitingElsewhere >= maxWaiting) return Promise.reject(this.#full(limits));
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        waiter.timer.cancel();
        signal.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
        this.#onChange();
      };
      const onAbort = (): void => waiter.reject(signal.reason instanceof Error ? signal.reason : new Error('left'));
      const waiter: Waiter<T> = {
        resolve: (value) => {
          leave();
          resolve(value);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
        timer: this.#clock.after(limits.timeoutMs + GRACE_MS, () => waiter.reject(this.#timeout(limits))),
      };
      this.#waiters.add(waiter);
      this.#onChange();
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  admit(value: T): void {
    for (const waiter of [...this.#waiters]) waiter.resolve(value);
  }

  turnAway(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  #full({ maxWaiting }: WaitingLimits): DispatchError {
    const message = `${maxWaiting} requests already wait for ${this.#service} to wake (wake.maxWaiting); try again shortly`;
    return new DispatchError('waiting_room_full', this.#service, message, 1000);
  }

  #timeout({ timeoutMs }: WaitingLimits): DispatchError {
    const message = `${this.#service} was not ready within ${timeoutMs / 1000} s (wake.timeout)`;
    return new DispatchError('wake_timeout', this.#service, message);
  }
}
