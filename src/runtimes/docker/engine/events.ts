import type { GetEventsOptions } from 'dockerode';
import type { Logger } from '../../../lib/logger.ts';
import { messageOf } from '../../../lib/coded-error.ts';
import type { RuntimeEvent } from '../../../fleet/runtime.ts';
import type { Engine } from './engine.ts';
import { engineStream, type EngineStream } from './engine-stream.ts';
import { EVENT_FILTERS, eventTime, toRuntimeEvent, type EngineEvent, type Ours } from './event-mapper.ts';
import { jsonLines } from './json-lines.ts';

type Listener = (event: RuntimeEvent) => void;

/** The project's part of the engine's stream of events, handed to whoever listens. */
export class Events {
  readonly #engine: Engine;
  readonly #ours: Ours;
  readonly #log: Logger;
  readonly #listeners = new Set<Listener>();
  #lastAt: string | undefined;

  constructor(engine: Engine, ours: Ours, log: Logger) {
    this.#engine = engine;
    this.#ours = ours;
    this.#log = log;
  }

  get lastAt(): string | undefined {
    return this.#lastAt;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: RuntimeEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ err: error, event: event.type }, 'a listener of the Docker driver failed');
      }
    }
  }

  /** The engine keeps 256 events: what came since is sent first, if it is no more than that. */
  async open(since: string, abortSignal: AbortSignal): Promise<EngineStream> {
    this.#lastAt ??= since;
    // The types of dockerode know neither a fraction of a second nor the signal.
    const options = { since, filters: EVENT_FILTERS, abortSignal } as unknown as GetEventsOptions;
    return engineStream(await this.#engine.docker.getEvents(options));
  }

  async read(stream: EngineStream): Promise<void> {
    try {
      for await (const value of jsonLines(stream)) this.#hear(value as EngineEvent);
    } catch (error) {
      this.#log.debug({ reason: messageOf(error) }, 'the stream of Docker events broke');
    } finally {
      stream.destroy();
    }
  }

  #hear(engineEvent: EngineEvent): void {
    this.#lastAt = eventTime(engineEvent) ?? this.#lastAt;
    const event = toRuntimeEvent(engineEvent, this.#ours);
    if (event) this.emit(event);
  }
}
