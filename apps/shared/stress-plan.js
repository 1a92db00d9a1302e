/** Ten minutes: what was started and forgotten ends by itself. */
const MAX_TOTAL_MS = 600_000;

/** @typedef {import('./query-reader.js').QueryReader} QueryReader */

/**
 * @typedef {object} StressStep
 * @property {number} intensity    percent of one core
 * @property {number} durationMs
 */

/**
 * @typedef {object} StressPlan
 * @property {'constant' | 'incremental'} kind
 * @property {StressStep[]} steps
 * @property {number} totalMs
 */

/**
 * `intensity` (percent, 80) and `duration` (milliseconds, 30000).
 *
 * @param {QueryReader} query
 * @returns {StressPlan}
 */
export function readConstantPlan(query) {
  const intensity = query.integer('intensity', { fallback: 80, min: 1, max: 100 });
  const durationMs = query.integer('duration', { fallback: 30_000, min: 100, max: MAX_TOTAL_MS });
  return { kind: 'constant', steps: [{ intensity, durationMs }], totalMs: durationMs };
}

/**
 * `steps` (10), `maxIntensity` (percent, 100) and `stepDuration` (milliseconds, 10000): a staircase up to the maximum.
 *
 * @param {QueryReader} query
 * @returns {StressPlan}
 */
export function readIncrementalPlan(query) {
  const count = query.integer('steps', { fallback: 10, min: 1, max: 100 });
  const maxIntensity = query.integer('maxIntensity', { fallback: 100, min: 1, max: 100 });
  const durationMs = query.integer('stepDuration', { fallback: 10_000, min: 100, max: MAX_TOTAL_MS });
  const totalMs = count * durationMs;
  if (totalMs > MAX_TOTAL_MS) {
    query.refuse('stepDuration', `times steps is ${totalMs} ms, and a run may last ${MAX_TOTAL_MS} ms at most`);
  }
  const steps = Array.from({ length: count }, (_, index) => ({
    intensity: Math.max(1, Math.round((maxIntensity * (index + 1)) / count)),
    durationMs,
  }));
  return { kind: 'incremental', steps, totalMs };
}
