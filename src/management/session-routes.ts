import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { SessionRecord } from '../fleet/state-store.ts';
import type { SessionAnswer, SessionsAnswer } from './contract.ts';
import type { ManagementTools } from './management-tools.ts';
import { parseInput, queryCount } from './request-input.ts';

const sessionsQuery = z.object({
  limit: queryCount(1, 1_000).default(100),
  service: z.string('must be given once').optional(),
  instance: z.string('must be given once').optional(),
});

/** Which clients keep to which instance, as the store remembers it. */
export function sessionRoutes(app: FastifyInstance, { store, fleet }: ManagementTools): void {
  app.get('/api/sessions', async ({ query }): Promise<SessionsAnswer> => {
    const { limit, service, instance } = parseInput(sessionsQuery, query);
    const which = { ...(service !== undefined && { service }), ...(instance !== undefined && { instance }) };
    const names = service === undefined ? fleet.members().map(({ name }) => name) : [service];
    const [records, ...counts] = await Promise.all([
      store.listSessions({ ...which, limit }),
      ...names.map((name) => store.countSessions(name)),
    ]);
    const perInstance = Object.fromEntries(counts.flatMap((count) => [...count]));
    return { sessions: records.map(sessionAnswer), perInstance };
  });
}

function sessionAnswer(record: SessionRecord): SessionAnswer {
  const { _id: id, service, instanceId: instance, clientHint: client, createdAt, lastSeenAt, expiresAt } = record;
  return { id, service, instance, client, firstSeenAt: createdAt, lastSeenAt, expiresAt };
}
