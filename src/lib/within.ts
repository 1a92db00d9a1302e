import type { Clock } from './clock.ts';

/** Waits for work that goes on by itself, but no longer than so. Never rejects: whoever began the work hears of that. */
export function within(clock: Clock, timeoutMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(timeoutMs, resolve);
    const done = (): void => {
      timer.cancel();
      resolve();
    };
    work.then(done, done);
  });
}
