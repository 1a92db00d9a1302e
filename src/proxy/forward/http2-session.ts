import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { Endpoint } from '../../seam/fleet-view.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { ChannelFailure } from './upstream-channel.ts';
import { openSocket } from './open-socket.ts';

export interface Http2SessionLimits {
  /** Streams at once, if the upstream allows that many. */
  readonly maxStreams: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
  readonly pingTimeoutMs: number;
}

export interface SessionOwner {
  /** There is room for a stream, or more room than before. */
  onRoom(session: Http2Session): void;
  /** Nobody waits any more for what is still open on it. */
  onUnwanted(session: Http2Session): void;
  onClosed(session: Http2Session): void;
}

/** What an upstream may send on one stream before its client has read it. */
const STREAM_WINDOW_BYTES = 256 * 1024;
/** Stream identifiers end at 2^31, and only every second one is ours (RFC 9113 5.1.1). */
const MAX_STREAMS_EVER = 2 ** 29;
/** Node refuses streams when what it holds of a session is more than this, in megabytes. */
const MAX_SESSION_MEMORY_MB = 64;

/** One HTTP/2 connection to an upstream that is known to speak it without TLS (RFC 9113 3.3). */
export class Http2Session {
  /** Where it is kept in the pool. */
  readonly key: string;
  readonly endpoint: Endpoint;
  /** When a connection without streams, or one that is not ready yet, is to be closed, in milliseconds of the ticker. */
  deadline = Infinity;
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #limits: Http2SessionLimits;
  readonly #owner: SessionOwner;
  #connected = false;
  #ready = false;
  #ending = false;
  #doubted: NodeJS.Timeout | undefined;
  #streams = 0;
  #wanted = 0;
  #served = 0;
  #lastProcessedId = Infinity;
  #error: Error | undefined;
  #gaveUpAfterMs: number | undefined;

  constructor(key: string, endpoint: Endpoint, limits: Http2SessionLimits, owner: SessionOwner) {
    this.key = key;
    this.endpoint = endpoint;
    this.#limits = limits;
    this.#owner = owner;
    this.#socket = openSocket(endpoint, { allowHalfOpen: false });
    this.#session = connect('http://upstream', {
      createConnection: () => this.#socket,
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      maxHeaderListPairs: limits.maxFields + 8,
      paddingStrategy: constants.PADDING_STRATEGY_NONE,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES, maxHeaderListSize: limits.maxHeadBytes },
    });
    this.#listen();
  }

  get closed(): boolean {
    return this.#ending || this.#session.closed || this.#session.destroyed;
  }

  get destroyed(): boolean {
    return this.#session.destroyed;
  }

  /** The upstream has introduced itself: it speaks HTTP/2, and has said how many streams it takes. */
  get ready(): boolean {
    return this.#ready;
  }

  get idle(): boolean {
    return this.#streams === 0;
  }

  /** True when another stream may be opened now. */
  get hasRoom(): boolean {
    if (!this.#ready || this.closed || this.#doubted !== undefined) return false;
    const { maxConcurrentStreams = Infinity } = this.#session.remoteSettings;
    return this.#streams < Math.min(maxConcurrentStreams, this.#limits.maxStreams);
  }

  /** All bytes that have come so far; a peer that still says something is alive. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** A place for one stream; it is given back by `leave`. */
  enter(): void {
    this.#streams += 1;
    this.#wanted += 1;
    this.#served += 1;
  }

  /** Whoever had a place has got what it came for, or has given up; `leave` follows when the stream has closed. */
  abandon(): void {
    this.#wanted -= 1;
    if (this.#wanted === 0) this.#owner.onUnwanted(this);
  }

  leave(): void {
    this.#streams -= 1;
    if (this.#served >= MAX_STREAMS_EVER) this.close();
    this.#owner.onRoom(this);
  }

  /** @throws when the session has just ended */
  request(fields: OutgoingHttpHeaders, options: { endStream: boolean; waitForTrailers: boolean }): ClientHttp2Stream {
    return this.#session.request(fields, options);
  }

  /** RFC 9113 6.8 and 8.7: a stream above what GOAWAY names, or refused, was not looked at. */
  wasProcessed({ id, rstCode }: ClientHttp2Stream): boolean {
    return id !== undefined && id <= this.#lastProcessedId && rstCode !== constants.NGHTTP2_REFUSED_STREAM;
  }

  /** A request got no sign of life: no other one is sent until a PING is answered. */
  doubt(): void {
    if (this.#doubted !== undefined || this.closed) return;
    this.#doubted = setTimeout(() => this.destroy(), this.#limits.pingTimeoutMs);
    this.#doubted.unref();
    const trust = (error: Error | null): void => {
      clearTimeout(this.#doubted);
      this.#doubted = undefined;
      if (error === null) this.#owner.onRoom(this);
    };
    // False is the answer to somebody who has asked too often already.
    if (!this.#session.ping(trust)) this.destroy();
  }

  /** No new streams; those that run may finish. */
  close(): void {
    this.#ending = true;
    this.#session.close();
  }

  /** It has not come about in its time. */
  giveUp(timeoutMs: number): void {
    this.#gaveUpAfterMs = timeoutMs;
    this.destroy();
  }

  destroy(): void {
    this.#ending = true;
    this.#session.destroy();
    this.#socket.destroy();
  }

  /** What the end of this connection means for a request that was on it, or waited for it. */
  failure(beforeResponse: boolean, unprocessed: boolean): ChannelFailure {
    const cause = this.#error;
    const why = cause === undefined ? '' : ` (${messageOf(cause)})`;
    if (this.#gaveUpAfterMs !== undefined) {
      const message = `${this.#address} accepted no connection within ${this.#gaveUpAfterMs} ms.`;
      return { code: 'connect_timeout', message, beforeResponse: true, unprocessed: true };
    }
    if (!this.#connected) {
      const message = `No connection to ${this.#address}: ${messageOf(cause ?? 'it was closed')}.`;
      return { code: 'upstream_refused', message, cause, beforeResponse: true, unprocessed: true };
    }
    if (!this.#ready && isProtocolError(cause)) {
      const message = `${this.#address} does not answer in HTTP/2${why}; is its protocol really "h2c"?`;
      return { code: 'upstream_bad_response', message, cause, beforeResponse: false };
    }
    const when = beforeResponse ? 'without a response' : 'before its response was complete';
    const message = `${this.#address} closed the connection ${when}${why}.`;
    return { code: 'upstream_reset', message, cause, beforeResponse, unprocessed };
  }

  get #address(): string {
    return `${this.endpoint.host}:${this.endpoint.port}`;
  }

  #listen(): void {
    const session = this.#session;
    this.#socket.on('connect', () => (this.#connected = true));
    this.#socket.on('error', (error) => (this.#error ??= error));
    session.on('error', (error: Error) => (this.#error ??= error));
    session.on('frameError', () => undefined);
    session.on('goaway', (_code: number, lastStreamId: number) => {
      this.#ending = true;
      this.#lastProcessedId = lastStreamId;
    });
    session.on('remoteSettings', () => {
      this.#ready = true;
      this.#owner.onRoom(this);
    });
    session.once('close', () => {
      this.#ending = true;
      clearTimeout(this.#doubted);
      this.#owner.onClosed(this);
    });
  }
}

/** An error of the HTTP/2 layer, not of the network. */
function isProtocolError(error: Error | undefined): boolean {
  return error !== undefined && 'code' in error && String(error.code).startsWith('ERR_HTTP2');
}
