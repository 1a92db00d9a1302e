import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Service } from '../fleet/service/service.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { ActionAnswer, SleepAnswer, WakeAnswer } from './contract.ts';
import type { ManagementTools } from './management-tools.ts';
import { parseInput, queryFlag } from './request-input.ts';
import { actionAnswer } from './views.ts';

interface ByName {
  Params: { name: string };
}

const wakeQuery = z.object({ wait: queryFlag(true) });
const strategies = ['stop', 'pause', 'remove'] as const;
const sleepBody = z.strictObject({
  strategy: z.enum(strategies, `must be one of ${strategies.join(', ')}`).default('stop'),
});
const scaleBody = z.strictObject({
  replicas: z.int('must be a whole number').min(0, 'must be 0 or more').max(1_000_000, 'is too large'),
});

/** What an operator can do to a service. Only services that we run can be told anything. */
export function actionRoutes(app: FastifyInstance, tools: ManagementTools): void {
  const { fleet, log } = tools;

  app.post<ByName>('/api/services/:name/wake', async ({ params, query }, reply): Promise<WakeAnswer> => {
    const { wait } = parseInput(wakeQuery, query);
    const service = fleet.managed(params.name);
    const waking = service.wake('operator');
    if (wait) return { timings: await waking, ...actionAnswer(service) };
    waking.catch((error: unknown) => log.debug({ service: service.name }, `the wake failed: ${messageOf(error)}`));
    void reply.code(202);
    return actionAnswer(service);
  });

  app.post<ByName>('/api/services/:name/sleep', async ({ params, body }): Promise<SleepAnswer> => {
    const { strategy } = parseInput(sleepBody, body);
    const service = fleet.managed(params.name);
    const asleep = await service.sleep('operator', strategy);
    return { asleep, ...actionAnswer(service) };
  });

  app.post<ByName>('/api/services/:name/restart', async ({ params }): Promise<WakeAnswer> => {
    const service = fleet.managed(params.name);
    await service.sleep('operator', 'stop');
    return { timings: await service.wake('operator'), ...actionAnswer(service) };
  });

  app.post<ByName>('/api/services/:name/scale', ({ params, body }) => {
    const service = fleet.managed(params.name);
    return scale(service, parseInput(scaleBody, body).replicas);
  });

  app.post<ByName>('/api/services/:name/scale-up', ({ params }) => {
    const service = fleet.managed(params.name);
    return scale(service, running(service) + 1);
  });

  app.post<ByName>('/api/services/:name/scale-down', ({ params }) => {
    const service = fleet.managed(params.name);
    return scale(service, running(service) - 1);
  });
}

async function scale(service: Service, replicas: number): Promise<ActionAnswer> {
  await service.scale(replicas);
  return actionAnswer(service);
}

/** A service that sleeps wants one instance once it is awake, but has none. */
function running({ status, desired }: Service): number {
  return status === 'awake' || status === 'degraded' || status === 'waking' ? desired : 0;
}
