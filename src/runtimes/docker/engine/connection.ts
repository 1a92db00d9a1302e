import { Backoff } from '../../../lib/backoff.ts';
import { sleep, type Clock } from '../../../lib/clock.ts';
import { deferred } from '../../../lib/deferred.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { RuntimeCondition } from '../../../fleet/runtime.ts';
import type { Engine } from './engine.ts';
import { describeEngine, type EngineTraits } from './engine-traits.ts';
import { notServing } from './errors.ts';
import type { EngineStream } from './engine-stream.ts';

export interface ConnectionOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Logger;
  /** Opens the stream of events from an instant on (`seconds.nanoseconds` by the engine's clock). */
  readonly openEvents: (since: string, signal: AbortSignal) => Promise<EngineStream>;
  /** Reads it to its end. */
  readonly readEvents: (stream: EngineStream) => Promise<void>;
  /** From where the next stream has to begin; undefined before the first event. */
  readonly lastEventAt: () => string | undefined;
  readonly onCondition: (condition: RuntimeCondition) => void;
  readonly heartbeatMs: number;
  readonly random?: () => number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;
const NOT_STARTED = 'NOT_STARTED';
/** A stream that ends sooner than this is no connection: the next one waits. */
const STABLE_MS = 1_000;

/** Keeps the connection to the engine: tries, listens to events, notices that it broke, tries again. */
export class Connection {
  condition: RuntimeCondition = {
    up: false,
    code: NOT_STARTED,
    reason: 'the connection to the Docker engine was not begun',
  };
  /** Known once the engine has answered. */
  traits: EngineTraits | undefined;
  readonly #options: ConnectionOptions;
  readonly #closing = new AbortController();
  readonly #backoff: Backoff;
  readonly #firstAttempt = deferred<undefined>();
  #running: Promise<void> | undefined;
  #stream: EngineStream | undefined;
  #checking = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { random } = options;
    this.#backoff = new Backoff({ initialMs: 250, maxMs: 5_000, ...(random && { random }) });
  }

  async start(): Promise<void> {
    this.#running ??= this.#run();
    await this.#firstAttempt.promise;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#stream?.destroy();
    await this.#running;
  }

  /** Somebody got no answer: asks the engine, and ends the stream of events if it does not answer. */
  suspect(): void {
    if (!this.condition.up || this.#checking || this.#closed) return;
    this.#checking = true;
    const { engine } = this.#options;
    engine
      .attempt((abortSignal) => engine.ping(abortSignal), PING_TIMEOUT_MS)
      .catch((error: unknown) => this.#stream?.destroy(error as Error))
      .finally(() => (this.#checking = false));
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closed) {
      const since = clock.now();
      const wasUp = await this.#serve();
      this.#firstAttempt.resolve(undefined);
      const stable = wasUp && clock.now() - since > STABLE_MS;
      // Returns at once when this object is closed.
      if (!stable) await sleep(clock, this.#backoff.fail(), this.#closing.signal);
    }
  }

  /** One connection from its attempt to its end; tells whether it was up in between. */
  async #serve(): Promise<boolean> {
    const { engine, openEvents, readEvents, lastEventAt } = this.#options;
    try {
      this.traits = await this.#attempt((abortSignal) => describeEngine(engine, abortSignal));
      const from = lastEventAt() ?? this.traits.time;
      this.#stream = await this.#attempt((abortSignal) => openEvents(from, abortSignal));
    } catch (error) {
      this.#down(error);
      return false;
    }
    this.#up();
    const beat = this.#heartbeat();
    await readEvents(this.#stream).catch(() => undefined);
    beat.abort();
    this.#stream = undefined;
    return true;
  }

  #attempt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#options.engine.attempt(work, CONNECT_TIMEOUT_MS, this.#closing.signal);
  }

  #heartbeat(): AbortController {
    const stop = new AbortController();
    const { clock, heartbeatMs } = this.#options;
    const beat = (): void => {
      if (stop.signal.aborted) return;
      this.suspect();
      clock.after(heartbeatMs, beat);
    };
    clock.after(heartbeatMs, beat);
    return stop;
  }

  /** Told again after each reconnect, so that whoever listens looks at everything anew. */
  #up(): void {
    const { log, engine, onCondition } = this.#options;
    const words = this.condition.up
      ? 'the events of the Docker engine were cut and go on'
      : 'the Docker engine answers';
    log.info({ engine: engine.address, version: this.traits?.version }, words);
    this.#backoff.reset();
    this.condition = { up: true };
    this.#firstAttempt.resolve(undefined);
    onCondition(this.condition);
  }

  #down(error: unknown): void {
    if (this.#closed) return;
    const { log, engine, onCondition } = this.#options;
    const { code, reason } = notServing(error, engine.address);
    const before = this.condition;
    this.condition = { up: false, code, reason };
    if (!before.up && before.code === code) return;
    // While it restarts it fails in several ways in a row: that it is away is told once.
    const isNews = before.up || before.code === NOT_STARTED;
    log[isNews ? 'warn' : 'debug']({ engine: engine.address, code }, reason);
    onCondition(this.condition);
  }
}
