import { QueryReader } from '../shared/query-reader.js';
import { readConstantPlan, readIncrementalPlan } from '../shared/stress-plan.js';

/**
 * What one run of the agent does: CPU load inside the backend, and requests from outside at the same time.
 *
 * @typedef {object} LoadPlan
 * @property {'constant' | 'incremental'} kind
 * @property {string} backendPath    what is asked of the backend, with the query
 * @property {string} requestPath    what the requests ask for
 * @property {number} concurrency    requests that may be under way at once
 * @property {{ rps: number, durationMs: number }[]} stages
 * @property {number} totalMs
 */

/**
 * @param {'constant' | 'incremental'} kind
 * @param {URLSearchParams} parameters   those of the backend's endpoint, and `concurrency` (10), `rps` (50, 0 = no requests), `path` (/api/hello)
 * @returns {LoadPlan}
 * @throws {import('../shared/http-problem.js').HttpProblem} 400
 */
export function readLoadPlan(kind, parameters) {
  const query = new QueryReader(parameters);
  const stress = kind === 'constant' ? readConstantPlan(query) : readIncrementalPlan(query);
  const concurrency = query.integer('concurrency', { fallback: 10, min: 1, max: 200 });
  const rps = query.integer('rps', { fallback: 50, min: 0, max: 2_000 });
  const requestPath = query.text('path', {
    fallback: '/api/hello',
    pattern: /^\/(?!\/)[\x21-\x7e]*$/,
    meaning: 'a path such as /api/hello',
  });
  query.finish();
  const peak = Math.max(...stress.steps.map(({ intensity }) => intensity));
  return {
    kind,
    backendPath: backendPath(stress),
    requestPath,
    concurrency,
    // The requests climb with the CPU load and reach `rps` on the highest step.
    stages: stress.steps.map(({ intensity, durationMs }) => ({ rps: (rps * intensity) / peak, durationMs })),
    totalMs: stress.totalMs,
  };
}

/** @param {import('../shared/stress-plan.js').StressPlan} stress */
function backendPath({ kind, steps }) {
  const last = steps.at(-1);
  if (!last) throw new Error('A plan has a step.');
  return kind === 'constant'
    ? `/api/stress?intensity=${last.intensity}&duration=${last.durationMs}`
    : `/api/stress/incremental?steps=${steps.length}&maxIntensity=${last.intensity}&stepDuration=${last.durationMs}`;
}
