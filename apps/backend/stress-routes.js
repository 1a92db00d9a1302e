import { QueryReader } from '../shared/query-reader.js';
import { sendJson } from '../shared/respond.js';
import { readConstantPlan, readIncrementalPlan } from '../shared/stress-plan.js';

/** @typedef {import('../shared/router.js').Exchange} Exchange */
/** @typedef {import('../shared/stress-plan.js').StressPlan} StressPlan */

/**
 * @typedef {object} StressContext
 * @property {import('./cpu-meter.js').CpuMeter} cpu
 * @property {import('../shared/instance.js').Instance} instance
 * @property {import('../shared/origin-policy.js').OriginPolicy} origins
 */

/**
 * Both kinds of run are answered at once with 202; the load itself is made elsewhere. They are GET as well as POST, so that an
 * address typed into a browser is enough.
 *
 * @param {import('../shared/router.js').Router} router
 * @param {import('./stress-runner.js').StressRunner} runner
 * @param {StressContext} context
 */
export function addStressRoutes(router, runner, { cpu, instance, origins }) {
  /**
   * @param {Exchange} exchange
   * @param {(query: QueryReader) => StressPlan} read
   */
  const start = ({ request, response, url }, read) => {
    origins.refuseForeign(request);
    const query = new QueryReader(url.searchParams);
    const plan = read(query);
    query.finish();
    const { id, replaced } = runner.start(plan);
    const endsAt = new Date(Date.now() + plan.totalMs).toISOString();
    const body = {
      accepted: true,
      id,
      instance: instance.name,
      ...plan,
      endsAt,
      replaced,
      status: '/api/stress/status',
    };
    sendJson(response, 202, body, { location: '/api/stress/status' });
  };
  router.on('GET POST', '/api/stress', (exchange) => start(exchange, readConstantPlan));
  router.on('GET POST', '/api/stress/incremental', (exchange) => start(exchange, readIncrementalPlan));
  router.on('GET', '/api/stress/status', ({ response }) =>
    sendJson(response, 200, { instance: instance.name, cpuPercent: cpu.percent, ...runner.status() }),
  );
  router.on('GET POST', '/api/stress/stop', ({ request, response }) => {
    origins.refuseForeign(request);
    sendJson(response, 200, { instance: instance.name, stopped: runner.stop() ?? null });
  });
}
