import { PassThrough, type Readable } from 'node:stream';
import type { Clock, Timer } from '../lib/clock.ts';

export interface StreamMessage {
  readonly id: string;
  readonly data: unknown;
}

export interface EventStreamOptions {
  readonly clock: Clock;
  /** Asked with every heartbeat: who lost the right to listen is cut off. */
  readonly stillAllowed: () => boolean;
}

const HEARTBEAT_MS = 15_000;
/** Who is this far behind is cut off, and may come back with Last-Event-ID. */
const MAX_BEHIND_BYTES = 1_048_576;

/** One listener of server-sent events, from the first comment to the end of the connection. */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #body = new PassThrough();
  readonly #gone = new AbortController();
  #heartbeat: Timer | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#body.on('error', () => this.end());
    this.#body.on('close', () => this.#left());
  }

  get body(): Readable {
    return this.#body;
  }

  /** Aborts when nobody listens any more. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** The first bytes make the response head leave at once. */
  start(): void {
    this.#body.write('retry: 2000\n\n');
    this.#beat();
  }

  /** Sends, or cuts off a listener who does not read. */
  offer(message: StreamMessage): void {
    if (this.signal.aborted) return;
    this.#body.write(encoded(message));
    if (this.#body.writableLength + this.#body.readableLength > MAX_BEHIND_BYTES) this.#body.destroy();
  }

  /** Sends, and waits as long as the listener needs to read. */
  async send(message: StreamMessage): Promise<void> {
    if (this.signal.aborted || this.#body.write(encoded(message))) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.#body.off('drain', go);
        this.signal.removeEventListener('abort', go);
        resolve();
      };
      this.#body.once('drain', go);
      this.signal.addEventListener('abort', go, { once: true });
    });
  }

  /** Lets what was sent arrive, then ends. */
  end(): void {
    this.#left();
    this.#body.end();
  }

  #beat(): void {
    this.#heartbeat = this.#options.clock.after(HEARTBEAT_MS, () => {
      if (!this.#options.stillAllowed()) {
        this.end();
        return;
      }
      // A listener who reads nothing needs no more signs of life.
      if (!this.#body.writableNeedDrain) this.#body.write(':\n\n');
      this.#beat();
    });
  }

  #left(): void {
    this.#heartbeat?.cancel();
    this.#gone.abort();
  }
}

/** JSON has no line breaks, so that one `data` line is enough. */
function encoded({ id, data }: StreamMessage): string {
  return `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
