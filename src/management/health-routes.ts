import type { FastifyInstance } from 'fastify';
import { principalOf } from './auth.ts';
import type { HealthAnswer } from './contract.ts';
import { healthOf } from './health.ts';
import type { ManagementTools } from './management-tools.ts';

/** Answers 200 also when degraded: the daemon serves what it can. */
export function healthRoutes(app: FastifyInstance, tools: ManagementTools): void {
  app.get('/api/health', { config: { open: true } }, (request): HealthAnswer => {
    return healthOf(tools, principalOf(request, tools) !== undefined);
  });
}
