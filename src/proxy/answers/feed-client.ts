import type { ClientExchange } from '../exchange/client-exchange.ts';

const encoder = new TextEncoder();
const HEARTBEAT = encoder.encode(':\n\n');

/** One reader of an event stream. While it cannot take more, only the latest message is kept for it. */
export class FeedClient {
  readonly #exchange: ClientExchange;
  #blocked = false;
  #pending: string | undefined;
  #missedBeats = 0;

  constructor(exchange: ClientExchange) {
    this.#exchange = exchange;
  }

  open(): void {
    const { requestId } = this.#exchange;
    const headers = ['content-type', 'text/event-stream', 'cache-control', 'no-store', 'x-accel-buffering', 'no'];
    this.#exchange.onDrain(() => this.#resume());
    this.#exchange.sendHead(200, 'OK', [...headers, 'x-request-id', requestId]);
  }

  send(message: string): void {
    if (this.#blocked) this.#pending = message;
    else this.#write(encoder.encode(message));
  }

  /** Keeps the connection alive; false when nothing was read for a whole beat and the reader should be given up. */
  beat(): boolean {
    if (!this.#blocked) this.#write(HEARTBEAT);
    else this.#missedBeats += 1;
    return this.#missedBeats < 2;
  }

  /** A reader with unread messages is cut off rather than waited for: it comes back and is told the present state. */
  end(): void {
    if (this.#exchange.abandoned) return;
    if (this.#blocked) this.#exchange.abort();
    else this.#exchange.end();
  }

  abort(): void {
    this.#exchange.abort();
  }

  #write(bytes: Uint8Array): void {
    if (this.#exchange.abandoned) return;
    this.#blocked = !this.#exchange.write(bytes);
    this.#exchange.flush();
  }

  #resume(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#missedBeats = 0;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) this.send(pending);
  }
}
