const STEPS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** How long ago something was, in its largest unit: `3 min`. */
export function age(sinceEpochMs: number, nowEpochMs: number): string {
  const ms = Math.max(0, nowEpochMs - sinceEpochMs);
  const [unitMs, unit] = STEPS.find(([step]) => ms >= step) ?? [1_000, 's'];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}
