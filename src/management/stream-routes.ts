import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { FleetEvent } from '../fleet/events.ts';
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
  /** Absent: all since that instant; nothing without one. */
  tail: queryCount(0, HISTORY_LENGTH).optional(),
  follow: queryFlag(true),
  service: z.string('must be given once').optional(),
  since: queryInstant(),
});
const logsQuery = z.object({ tail: queryCount(0, 10_000).default(100), follow: queryFlag(true) });

const METHODS = ['GET', 'HEAD'];

/** Server-sent events. */
export function streamRoutes(app: FastifyInstance, tools: ManagementTools): void {
  const { fleet, streams, store, log } = tools;

  const events = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = parseInput(eventsQuery, request.query);
    if (request.method === 'HEAD') return streams.answerHead(reply);
    const { since, service } = query;
    const recorded = since === undefined ? [] : await recordedEvents(store, since, service);
    const stream = streams.open(request, reply);
    sendEvents(stream, { query, recorded, lastId: lastEventId(request) }, tools).catch((error: unknown) => {
      log.warn({ err: error }, `events cannot be sent: ${messageOf(error)}`);
      stream.end();
    });
    return reply;
  };

  const logs = (request: FastifyRequest<ByName>, reply: FastifyReply): FastifyReply => {
    const { tail, follow } = parseInput(logsQuery, request.query);
    const service = fleet.managed(request.params.name);
    if (request.method === 'HEAD') return streams.answerHead(reply);
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
  };

  app.route({ method: METHODS, url: '/api/events', handler: events });
  app.route<ByName>({ method: METHODS, url: '/api/services/:name/logs', handler: logs });
}

interface ByName {
  Params: { name: string };
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
  const concerns = (event: FleetEvent): boolean => event.service === (service ?? event.service);
  let past = pastEvents(asked, history, concerns);
  // Of what has been, a slow reader is waited for: a thousand failures with their log lines are more than a stream holds.
  while (past.length > 0 && !stream.signal.aborted) {
    const newest = history.last(1)[0]?.id ?? '';
    for (const event of past) await stream.send({ id: event.id, data: event });
    past = follow ? history.after(newest).filter(concerns).map(eventAnswer) : [];
  }
  if (!follow || stream.signal.aborted) {
    stream.end();
    return;
  }
  // Nothing can have happened in between: the last look and this are in one turn of the event loop.
  const unsubscribe = bus.subscribe((event) => {
    if (concerns(event)) stream.offer({ id: event.id, data: eventAnswer(event) });
  });
  stream.signal.addEventListener('abort', unsubscribe, { once: true });
}

/** Who goes on where it left off is told all of what it has missed, whatever its `tail`. */
function pastEvents(
  { query, recorded, lastId }: EventsAsked,
  history: EventHistory,
  concerns: (event: FleetEvent) => boolean,
): EventAnswer[] {
  const { since, tail } = query;
  if (since === undefined && lastId !== undefined) return history.after(lastId).filter(concerns).map(eventAnswer);
  const recent = history.last(HISTORY_LENGTH).filter(concerns);
  if (since === undefined) return lastOf(recent, tail ?? 0).map(eventAnswer);
  const all = mergeEvents(
    recorded,
    recent.map(eventAnswer).filter(({ at }) => at >= since),
  );
  if (lastId === undefined) return lastOf(all, tail ?? HISTORY_LENGTH);
  return all.slice(all.findIndex(({ id }) => id === lastId) + 1);
}

function lastOf<T>(items: readonly T[], count: number): T[] {
  return items.slice(Math.max(0, items.length - count));
}

function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
