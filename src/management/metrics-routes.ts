import type { FastifyInstance } from 'fastify';
import type { ManagementTools } from './management-tools.ts';

/** Beside the API rather than in it: Prometheus looks for them there. */
export function metricsRoutes(app: FastifyInstance, { metrics }: ManagementTools): void {
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics();
    return reply.header('content-type', contentType).send(text);
  });
}
