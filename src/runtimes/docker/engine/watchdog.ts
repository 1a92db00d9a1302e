import type { EngineStream } from './engine-stream.ts';

/** Ends a stream of the engine when nothing came for too long, or when the caller gave up. */
export class Watchdog {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal;
  readonly #onOuterAbort = (): void => this.#abort.abort();
  #silent = false;

  constructor(silenceMs: number, outer: AbortSignal) {
    this.#outer = outer;
    this.#timer = setTimeout(() => {
      this.#silent = true;
      this.#abort.abort();
    }, silenceMs);
    this.#timer.unref();
    if (outer.aborted) this.#abort.abort();
    outer.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Destroys the stream when the time is over. */
  guard(stream: EngineStream): void {
    const end = (): void => stream.destroy(new Error('ended by its watchdog'));
    if (this.#abort.signal.aborted) end();
    this.#abort.signal.addEventListener('abort', end, { once: true });
  }

  touch(): void {
    this.#timer.refresh();
  }

  /** The error to report: what was thrown, or the silence that led to it. */
  explain(error: unknown, silence: string): unknown {
    return this.#silent ? new Error(silence, { cause: error }) : error;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onOuterAbort);
  }
}
