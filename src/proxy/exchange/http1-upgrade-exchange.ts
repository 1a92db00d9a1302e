import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Http1Exchange } from './http1-exchange.ts';
import { destroyOnError } from '../listen/destroy-on-error.ts';
import { lingerOnClose } from '../listen/lingering-close.ts';
import { defaultListenerLimits } from '../listen/listener-limits.ts';
import type { RequestFacts } from './request-facts.ts';

/** What a client may send before its upgrade has been answered. */
const MAX_EARLY_BYTES = 65_536;

export interface TakenSocket {
  readonly socket: Socket;
  /** What the client has sent after its request. */
  readonly early: Buffer;
}

/**
 * A request that asks to leave HTTP, from the `upgrade` event of node:http. It can be answered like any other
 * (a refused upgrade is a normal response; the connection closes after it), or its socket be taken for a tunnel.
 */
export class Http1UpgradeExchange extends Http1Exchange {
  readonly #socket: Socket;
  readonly #answer: ServerResponse;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  readonly #onData = (chunk: Buffer): void => this.#keep(chunk);
  readonly #onEnd = (): void => void this.#socket.destroy();

  /**
   * @param head the bytes that followed the request, the last argument of the event; its socket is `request.socket`
   * @param stallTimeoutMs how long a client may leave the rest of a refusal unread
   */
  constructor(
    request: IncomingMessage,
    head: Buffer,
    facts: RequestFacts,
    stallTimeoutMs: number = defaultListenerLimits.stallTimeoutMs,
  ) {
    const { socket } = request;
    const answer = new ServerResponse(request);
    super(request, answer, facts);
    this.#socket = socket;
    this.#answer = answer;
    destroyOnError(socket);
    answer.shouldKeepAlive = false;
    answer.assignSocket(socket);
    lingerOnClose(socket);
    answer.once('finish', () => socket.destroySoon());
    // Once all of a refusal is handed over, only the client can hold it up; node:http has let go of the socket.
    answer.once('prefinish', () => socket.setTimeout(stallTimeoutMs, () => socket.destroy()));
    if (head.length > 0) this.#keep(head);
    // Only a socket that is read tells that its peer has gone.
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
  }

  /** node:http, which tells an answer when its socket takes more, has let go of this one. */
  override onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  /** Once taken, the exchange can answer no more. */
  takeSocket(): TakenSocket {
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.pause();
    this.#answer.detachSocket(this.#socket);
    return { socket: this.#socket, early: Buffer.concat(this.#early) };
  }

  #keep(chunk: Buffer): void {
    if (this.headSent) return;
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#socket.pause();
  }
}
