import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { FleetEvent } from '../fleet/events.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { EventStream } from './event-stream.ts';
import { HISTORY_LENGTH } from './event-history.ts';
import { LogFeed } from './log-feed.ts';
import type { ManagementTools } from './management-tools.ts';
import { parseInput, queryCount, queryFlag } from './request-input.ts';
import { eventAnswer, logAnswer } from './views.ts';

const eventsQuery = z.object({
  tail: queryCount(0, HISTORY_LENGTH, 0),
  follow: queryFlag(true),
  service: z.string('must be given once').optional(),
});
const logsQuery = z.object({ tail: queryCount(0, 10_000, 100), follow: queryFlag(true) });

/** Server-sent events. A HEAD request would open a stream that nobody reads. */
const STREAM = { exposeHeadRoute: false };

export function streamRoutes(app: FastifyInstance, tools: ManagementTools): void {
  const { fleet, streams, log } = tools;

  app.get('/api/events', STREAM, (request, reply) => {
    const query = parseInput(eventsQuery, request.query);
    sendEvents(streams.open(request, reply), request, query, tools);
    return reply;
  });

  app.get<{ Params: { name: string } }>('/api/services/:name/logs', STREAM, (request, reply) => {
    const { tail, follow } = parseInput(logsQuery, request.query);
    const service = fleet.managed(request.params.name);
    // The id of a line is its instant.
    const afterEpochMs = Number(lastEventId(request) ?? 0) || 0;
    const stream = streams.open(request, reply);
    const { signal } = stream;
    const feed = new LogFeed(tools, {
      ...{ service, tail, afterEpochMs, signal },
      send: (instance, line) => stream.send({ id: String(line.atEpochMs), data: logAnswer(instance, line) }),
    });
    (follow ? feed.follow() : feed.readOnce())
      .catch((error: unknown) => log.warn({ service: service.name }, `the log cannot be read: ${messageOf(error)}`))
      .finally(() => stream.end());
    return reply;
  });
}

function sendEvents(
  stream: EventStream,
  request: FastifyRequest,
  { tail, follow, service }: z.infer<typeof eventsQuery>,
  { bus, history }: ManagementTools,
): void {
  const send = (event: FleetEvent): void => {
    if (event.service === (service ?? event.service)) stream.offer({ id: event.id, data: eventAnswer(event) });
  };
  const last = lastEventId(request);
  // Nothing can happen in between: both run in one turn of the event loop.
  for (const event of last === undefined ? history.last(tail) : history.after(last)) send(event);
  if (!follow) {
    stream.end();
    return;
  }
  const unsubscribe = bus.subscribe(send);
  stream.signal.addEventListener('abort', unsubscribe, { once: true });
}

function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
