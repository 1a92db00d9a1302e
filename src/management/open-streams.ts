import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../lib/clock.ts';
import { EventStream } from './event-stream.ts';
import { ApiProblem } from './problem.ts';

const MAX_STREAMS = 100;
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies of the nginx kind would hold back what is small.
  'x-accel-buffering': 'no',
};

/** All who listen to event streams; bounded, and ended with the server. */
export class OpenStreams {
  readonly #clock: Clock;
  readonly #isAllowed: (request: FastifyRequest) => boolean;
  readonly #open = new Set<EventStream>();

  constructor(clock: Clock, isAllowed: (request: FastifyRequest) => boolean) {
    this.#clock = clock;
    this.#isAllowed = isAllowed;
  }

  /** Answers with a stream of events. @throws ApiProblem `too_many_streams` */
  open(request: FastifyRequest, reply: FastifyReply): EventStream {
    if (this.#open.size >= MAX_STREAMS) {
      const detail = `${MAX_STREAMS} event streams are open; close some.`;
      throw new ApiProblem(503, 'too_many_streams', detail, { retryAfterSeconds: 5 });
    }
    const stream = new EventStream({ clock: this.#clock, stillAllowed: () => this.#isAllowed(request) });
    this.#open.add(stream);
    stream.signal.addEventListener('abort', () => this.#open.delete(stream), { once: true });
    stream.start();
    void reply.headers(HEADERS).send(stream.body);
    return stream;
  }

  /** Answers HEAD: a stream would be one that nobody reads. */
  answerHead(reply: FastifyReply): FastifyReply {
    return reply.headers(HEADERS).send();
  }

  endAll(): void {
    for (const stream of this.#open) stream.end();
  }
}
