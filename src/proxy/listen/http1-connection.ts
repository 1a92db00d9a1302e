import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Authorities } from './authority.ts';
import { leaveParser } from './lingering-close.ts';
import { peerAddress } from './peer.ts';

/** How long a client may take to read the last answer and close, once we have said all, in milliseconds. */
const LINGER_MS = 1_000;

/** One HTTP/1 connection and the answers that it still owes, oldest first. */
export class Http1Connection {
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly authorities = new Authorities();
  readonly #owed: ServerResponse[] = [];
  #unread: { readonly answer: ServerResponse; readonly bytes: number } | undefined;
  #last = false;
  /** One for all answers of the connection. */
  readonly #onAnswered: (this: ServerResponse) => void;

  /** @param answered called whenever an answer has gone out */
  constructor(socket: Socket, answered: (connection: Http1Connection) => void) {
    this.socket = socket;
    this.remoteAddress = peerAddress(socket);
    const settle = (response: ServerResponse): void => {
      const at = this.#owed.indexOf(response);
      // Taking the first one makes no list of what was taken.
      if (at === 0) this.#owed.shift();
      else if (at > 0) this.#owed.splice(at, 1);
      answered(this);
    };
    this.#onAnswered = function () {
      settle(this);
    };
  }

  /** True once nothing more may be read from it: its framing is in doubt, or its last request is there. */
  get finished(): boolean {
    return this.#last;
  }

  get busy(): boolean {
    return this.#owed.length > 0;
  }

  get owed(): number {
    return this.#owed.length;
  }

  /** Notes an answer that is to come. */
  owe(response: ServerResponse): void {
    this.#owed.push(response);
    response.on('close', this.#onAnswered);
  }

  /**
   * Asked at intervals: true when an answer was there to be sent at the last call, so that only the client can hold it
   * up, and nothing of it has left since. A timer for each answer would cost every request.
   */
  stalls(): boolean {
    const [answer] = this.#owed;
    const bytes = this.socket.writableLength;
    const before = this.#unread;
    const waits = answer !== undefined && (answer.writableEnded || bytes > 0);
    this.#unread = waits ? { answer, bytes } : undefined;
    return this.#unread !== undefined && before?.answer === answer && before?.bytes === bytes;
  }

  /**
   * Makes the newest answer say `Connection: close`, behind which nothing is served (RFC 9112 9.6). Where its head has left
   * already the client cannot know: its next request is served, and told.
   */
  announceClose(): void {
    const newest = this.#owed.at(-1);
    if (newest === undefined || newest.headersSent) return;
    newest.shouldKeepAlive = false;
    this.#last = true;
  }

  /** No request after those already there is served. */
  finish(): void {
    this.announceClose();
    this.#last = true;
  }

  /** Whether the newest request is still being received: its body, not a later request, is what came in last. */
  get receiving(): boolean {
    return this.#owed.at(-1)?.req.complete === false;
  }

  /** True when an answer of ours cannot be written without being taken for a part of another one. */
  get mayNotSpeak(): boolean {
    return this.#owed.length > 1 || this.#owed[0]?.headersSent === true || !this.socket.writable;
  }

  /** Ends with these bytes. What the client still sends is read and dropped, so that no reset overtakes the answer. */
  endWith(bytes: Buffer): void {
    leaveParser(this.socket);
    this.socket.end(bytes);
    this.socket.resume();
    const timer = setTimeout(() => this.socket.destroy(), LINGER_MS);
    timer.unref();
    this.socket.once('close', () => clearTimeout(timer));
  }
}
