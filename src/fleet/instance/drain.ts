import type { Clock } from '../../lib/clock.ts';
import { deferred } from '../../lib/deferred.ts';
import type { ActivityBoard } from '../activity-board.ts';

export interface DrainOptions {
  readonly service: string;
  readonly instanceId: string;
  /** The fleet version in which the instance is no longer offered. */
  readonly version: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until nothing is in flight on an instance that is no longer offered.
 * @returns whether it drained; false when the time was up or the signal aborted
 */
export function waitUntilDrained(activity: ActivityBoard, clock: Clock, options: DrainOptions): Promise<boolean> {
  const { service, instanceId, version, timeoutMs, signal } = options;
  const drained = (): boolean => activity.isDrained(service, instanceId, version);
  if (drained() || signal.aborted) return Promise.resolve(drained() && !signal.aborted);
  return new Promise((resolve) => {
    const settle = (): void => {
      timer.cancel();
      unsubscribe();
      signal.removeEventListener('abort', settle);
      resolve(drained() && !signal.aborted);
    };
    const timer = clock.after(timeoutMs, settle);
    const unsubscribe = activity.onReport(() => {
      if (drained()) settle();
    });
    signal.addEventListener('abort', settle, { once: true });
  });
}

/** Resolves once no data half of this process uses an older version of the fleet. */
export async function untilSeen(activity: ActivityBoard, version: number): Promise<void> {
  if (activity.isSeen(version)) return;
  const seen = deferred<undefined>();
  const unsubscribe = activity.onReport(() => {
    if (activity.isSeen(version)) seen.resolve(undefined);
  });
  await seen.promise;
  unsubscribe();
}
