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
    const stream = streams.open(request, reply);
    sendEvents(stream, { query, recorded, lastId: lastEventId(request) }, tools).catch((error: unknown) => {
      log.warn({ err: error }, `events cannot be sent: ${messageOf(error)}`);
      stream.end();
    });
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

async function sendEvents(stream: EventStream, asked: EventsAsked, { bus, history }: ManagementTools): Promise<void> {
  const { service, follow } = asked.query;
  const concerns = (event: EventAnswer): boolean => event.service === (service ?? event.service);
  let past = pastEvents(asked, history);
  // Of what has been, a slow reader is waited for: a thousand failures with their log lines are more than a stream holds.
  while (past.length > 0 && !stream.signal.aborted) {
    const newest = history.last(1)[0]?.id ?? '';
    for (const event of past.filter(concerns)) await stream.send({ id: event.id, data: event });
    past = follow ? history.after(newest).map(eventAnswer) : [];
  }
  if (!follow || stream.signal.aborted) {
    stream.end();
    return;
  }
  // Nothing can have happened in between: the last look and this are in one turn of the event loop.
  const unsubscribe = bus.subscribe((event) => {
    const data = eventAnswer(event);
    if (concerns(data)) stream.offer({ id: data.id, data });
  });
  stream.signal.addEventListener('abort', unsubscribe, { once: true });
}

function pastEvents({ query, recorded, lastId }: EventsAsked, history: EventHistory): EventAnswer[] {
  const { since, tail, service } = query;
  if (since === undefined) {
    return (lastId === undefined ? history.last(tail) : history.after(lastId)).map(eventAnswer);
  }
  const recent = history.last(HISTORY_LENGTH).map(eventAnswer);
  const all = mergeEvents(
    recorded,
    recent.filter((event) => event.at >= since && event.service === (service ?? event.service)),
  );
  return all.slice(all.findIndex(({ id }) => id === lastId) + 1);
}

function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
