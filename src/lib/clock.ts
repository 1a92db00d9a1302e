import { performance } from 'node:perf_hooks';

/** A pending call that can be taken back. */
export interface Timer {
  cancel(): void;
}

/** The one source of time, so that whatever decides by time can be tested without waiting for it. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** The wall clock in milliseconds since 1970, for what people and other machines read. */
  epochMs(): number;
  /** Calls `action` once after `delayMs`. Never keeps the process alive by itself. */
  after(delayMs: number, action: () => void): Timer;
}

export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  epochMs(): number {
    return Date.now();
  }

  after(delayMs: number, action: () => void): Timer {
    const timeout = setTimeout(action, delayMs);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  }
}

/** Resolves after `delayMs`, or at once when `signal` aborts (it never rejects: look at the signal). */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted) done();
  });
}
