import type { ScaleSpec, ServiceSpec } from '../../config/service-spec.ts';

/** How busy one serving instance is. */
export interface InstanceLoad {
  /** Of the limit; null where it is not known. */
  readonly cpuRatio: number | null;
  readonly inFlight: number;
}

/** How many instances would be just at their target: a fraction, and a range where not all of the load is known. */
export interface ScaleNeed {
  readonly atLeast: number;
  readonly atMost: number;
  /** Which target asks for the most. */
  readonly reason: 'cpu' | 'in_flight';
}

/** Since when (monotonic) the load has been too much, or so little that fewer could do. Empty = neither. */
export interface ScaleTrend {
  /** `need` is the smaller one of the last two looks, so that one high reading does not decide how many are added. */
  readonly above?: { readonly sinceMs: number; readonly last: number; readonly need: number };
  /** `need` is the highest since then. */
  readonly below?: { readonly sinceMs: number; readonly need: number };
}

export interface ScaleSituation {
  readonly scale: ScaleSpec;
  /** How many there are, or are on their way. */
  readonly replicas: number;
  readonly need: ScaleNeed;
  readonly trend: ScaleTrend;
  /** How long a load must last before one is added. */
  readonly holdMs: number;
  /** Monotonic. */
  readonly nowMs: number;
  /** Monotonic; when the number changed last, by whomever; absent when it never did. */
  readonly changedAtMs?: number | undefined;
}

export interface ScaleDecision {
  readonly replicas: number;
  readonly reason: ScaleNeed['reason'] | 'low_load';
}

/** Those that stay are left with at most this much of their target, lest one is added again at once. */
const FULL_ENOUGH = 0.9;

/** Whether the number of instances follows the load. */
export function isAutoscaled({ scale, job }: Pick<ServiceSpec, 'scale' | 'job'>): boolean {
  return !job && scale.max > leastOf(scale) && (scale.cpu !== undefined || scale.inFlight !== undefined);
}

/** An instance whose CPU is not known may be idle or just at its target. */
export function needOf({ cpu, inFlight }: ScaleSpec, loads: readonly InstanceLoad[]): ScaleNeed {
  const known = loads.flatMap(({ cpuRatio }) => cpuRatio ?? []);
  const byCpu = cpu === undefined ? 0 : sum(known) / (cpu / 100);
  const unknown = cpu === undefined ? 0 : loads.length - known.length;
  const byRequests = inFlight === undefined ? 0 : sum(loads.map((load) => load.inFlight)) / inFlight;
  return {
    atLeast: Math.max(byCpu, byRequests),
    atMost: Math.max(byCpu + unknown, byRequests),
    reason: byRequests > byCpu ? 'in_flight' : 'cpu',
  };
}

/** What one more look makes of the trend. Pure. */
export function followTrend({ scale, replicas, need, trend, nowMs }: Omit<ScaleSituation, 'holdMs'>): ScaleTrend {
  const { above, below } = trend;
  const { atLeast, atMost } = need;
  return {
    ...(atLeast > replicas && {
      above: { sinceMs: above?.sinceMs ?? nowMs, last: atLeast, need: Math.min(above?.last ?? atLeast, atLeast) },
    }),
    ...(roomyFor(atMost, scale) < replicas && {
      below: { sinceMs: below?.sinceMs ?? nowMs, need: Math.max(below?.need ?? atMost, atMost) },
    }),
  };
}

/**
 * How many instances there should be, if other than now. Pure.
 *
 * Up when the load has been above the target for `holdMs`, at once to as many as it needs; down when it has fitted into fewer,
 * with room to spare, for a whole cooldown; and never twice within a cooldown.
 */
export function decideScale(situation: ScaleSituation): ScaleDecision | undefined {
  const { scale, replicas, need, trend, nowMs, holdMs, changedAtMs } = situation;
  const { above, below } = trend;
  if (changedAtMs !== undefined && nowMs - changedAtMs < scale.cooldownMs) return undefined;
  if (above && nowMs - above.sinceMs >= holdMs) {
    const to = Math.min(Math.ceil(above.need), scale.max);
    if (to > replicas) return { replicas: to, reason: need.reason };
  }
  if (below && nowMs - below.sinceMs >= Math.max(scale.cooldownMs, holdMs)) {
    return { replicas: roomyFor(below.need, scale), reason: 'low_load' };
  }
  return undefined;
}

/** How many carry the load with room to spare. */
function roomyFor(need: number, scale: ScaleSpec): number {
  return Math.min(Math.max(Math.ceil(need / FULL_ENOUGH), leastOf(scale)), scale.max);
}

/** One that is awake has an instance, whatever its least is. */
function leastOf({ min }: ScaleSpec): number {
  return Math.max(1, min);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
