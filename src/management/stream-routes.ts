import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { messageOf } from '../lib/coded-error.ts';
import type { EventAnswer } from './contract.ts';
import type { EventStream } from './event-stream.ts';
import { HISTORY_LENGTH, type EventHistory } from './event-history.ts';
import { LogFeed } from './log-feed.ts';
import type { ManagementTools } from './management-tools.ts';
import { mergeEvents, recordedEvents } from './recorded-events.ts';
import { parseInput, queryCount, queryFlag, queryInstant } from './request-input.ts';
import { eventAnswer, logAnswer } from './views.ts';

const eventsQuery = z.object({
  tail: queryCount(0, HISTORY_LENGTH, 0),
  follow: queryFlag(true),
  service: z.string('must be given once').optional(),
  since: queryInstant(),
});
const logsQuery = z.object({ tail: queryCount(0, 10_000, 100), follow: queryFlag(true) });

/** Server-sent events. A HEAD request would open a stream that nobody reads. */
const STREAM = { exposeHeadRoute: false };

export function streamRoutes(app: FastifyInstance, tools: ManagementTools): void {
  const { fleet, streams, store, log } = tools;

  app.get('/api/events', STREAM, async (request, reply) => {
    const query = parseInput(eventsQuery, request.query);
    const { since, service } = query;
    const recorded = since === undefined ? [] : await recordedEvents(store, since, service);
    sendEvents(streams.open(request, reply), { query, recorded, lastId: lastEventId(request) }, tools);
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

interface EventsAsked {
  readonly query: z.infer<typeof eventsQuery>;
  /** What the store has since the instant that was asked for. */
  readonly recorded: readonly EventAnswer[];
  /** The last one that was seen: who comes back goes on there. */
  readonly lastId: string | undefined;
}

function sendEvents(stream: EventStream, asked: EventsAsked, { bus, history }: ManagementTools): void {
  const { service, follow } = asked.query;
  const send = (event: EventAnswer): void => {
    if (event.service === (service ?? event.service)) stream.offer({ id: event.id, data: event });
  };
  // Nothing can happen in between: both run in one turn of the event loop.
  for (const event of pastEvents(asked, history)) send(event);
  if (!follow) {
    stream.end();
    return;
  }
  const unsubscribe = bus.subscribe((event) => send(eventAnswer(event)));
  stream.signal.addEventListener('abort', unsubscribe, { once: true });
}

function pastEvents({ query, recorded, lastId }: EventsAsked, history: EventHistory): EventAnswer[] {
  const { since, tail } = query;
  if (lastId !== undefined) return history.after(lastId).map(eventAnswer);
  if (since === undefined) return history.last(tail).map(eventAnswer);
  const recent = history.last(HISTORY_LENGTH).map(eventAnswer);
  return mergeEvents(
    recorded,
    recent.filter(({ at }) => at >= since),
  );
}

function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
