import type { ThresholdSpec } from '../../config/service-spec.ts';

export type AlarmLevel = 'calm' | 'warn' | 'panic';

/** One threshold: whether it counts as crossed, and since when the readings have said the opposite. */
interface Trigger {
  readonly on: boolean;
  /** Monotonic. */
  readonly opposedSinceMs?: number;
}

/** What is remembered of one measure (CPU, memory) of one instance. */
export interface AlarmState {
  readonly warn: Trigger;
  readonly panic: Trigger;
}

export interface AlarmRule {
  readonly thresholds: ThresholdSpec;
  /** How long a reading must hold before it counts. */
  readonly forMs: number;
}

export const CALM: AlarmState = { warn: { on: false }, panic: { on: false } };

/** Points below a threshold where it is over again, so that a value that hovers around it does not ring each second. */
const MARGIN_POINTS = 5;

/** Where a threshold counts as left again. Grows with the threshold, so that panic always ends before warn. */
function releasedBelow(threshold: number): number {
  return threshold - Math.min(MARGIN_POINTS, threshold / 10);
}

/** Each threshold for itself: a value that swings between warn and panic has held warn all the time. */
function step(trigger: Trigger, percent: number, atMs: number, threshold: number, forMs: number): Trigger {
  const opposed = trigger.on ? percent < releasedBelow(threshold) : percent >= threshold;
  if (!opposed) return { on: trigger.on };
  const sinceMs = trigger.opposedSinceMs ?? atMs;
  return atMs - sinceMs >= forMs ? { on: !trigger.on } : { on: trigger.on, opposedSinceMs: sinceMs };
}

/**
 * What one more reading makes of an alarm. Pure.
 *
 * @param percent of the limit; null where it is not known, which confirms nothing and denies nothing
 * @param atMs monotonic
 */
export function judge(state: AlarmState, percent: number | null, atMs: number, rule: AlarmRule): AlarmState {
  if (percent === null) return { warn: { on: state.warn.on }, panic: { on: state.panic.on } };
  const { thresholds, forMs } = rule;
  return {
    warn: step(state.warn, percent, atMs, thresholds.warn, forMs),
    panic: step(state.panic, percent, atMs, thresholds.panic, forMs),
  };
}

/** An alarm that rang already, in an earlier life of the daemon. */
export function ringing(level: AlarmLevel): AlarmState {
  return { warn: { on: level !== 'calm' }, panic: { on: level === 'panic' } };
}

export function levelOf({ warn, panic }: AlarmState): AlarmLevel {
  if (panic.on) return 'panic';
  return warn.on ? 'warn' : 'calm';
}
