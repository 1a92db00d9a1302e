import type { Socket } from 'node:net';
import type { Endpoint } from '../../seam/fleet-view.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { connectedEvent, openSocket } from './open-socket.ts';
import type { ForwardedLines } from './forwarded-lines.ts';
import type { RequestHeadOptions } from './request-head.ts';
import { requestHead } from './request-head.ts';
import type { ResponseLimits } from './response-parser.ts';
import { ResponseParser } from './response-parser.ts';
import { MalformedResponse } from './malformed-response.ts';
import { fieldLines } from '../exchange/field-list.ts';
import type {
  ChannelFailure,
  ChannelUser,
  SwitchedChannel,
  SwitchedUser,
  UpstreamChannel,
} from './upstream-channel.ts';

/** What all connections of a pool have in common. */
export interface SharedByConnections {
  readonly limits: ResponseLimits;
  /** What is read goes through it: Node would allocate 64 KB for every read. */
  readonly readBuffer: Buffer;
  readonly forwardedLines: ForwardedLines;
}

/** Whoever keeps connections. */
export interface ConnectionOwner {
  /** Its request is over; it may be kept for another one. */
  onReleased(connection: UpstreamConnection): void;
  onClosed(connection: UpstreamConnection): void;
}

const NOTHING = new Uint8Array(0);

/** One TCP connection to an upstream, from the connect to the close; the only one that touches its socket. */
export class UpstreamConnection implements UpstreamChannel, SwitchedChannel {
  /** Where it is kept in the pool. */
  readonly key: string;
  readonly endpoint: Endpoint;
  /** How many requests it has been given. */
  served = 0;
  /** When an idle connection is to be closed, in milliseconds of the ticker. */
  idleDeadline = Infinity;
  readonly #socket: Socket;
  readonly #shared: SharedByConnections;
  readonly #owner: ConnectionOwner;
  #user: ChannelUser | undefined;
  #parser: ResponseParser | undefined;
  /** Who has it instead once HTTP is over on it. */
  #tunnel: SwitchedUser | undefined;
  #chunked = false;
  #anyByte = false;
  #connected = false;
  #paused = false;
  #error: Error | undefined;

  constructor(key: string, endpoint: Endpoint, owner: ConnectionOwner, shared: SharedByConnections) {
    const { readBuffer } = shared;
    this.key = key;
    this.endpoint = endpoint;
    this.#shared = shared;
    this.#owner = owner;
    const callback = (length: number): boolean => {
      this.#read(readBuffer.subarray(0, length));
      return true;
    };
    this.#socket = openSocket(endpoint, { allowHalfOpen: true, onread: { buffer: readBuffer, callback } });
    this.#listen();
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** True when the response is complete and says nothing against another request on this connection. */
  get reusable(): boolean {
    return (
      this.#parser?.reusable === true &&
      !this.#socket.readableEnded &&
      !this.closed &&
      this.#socket.writableLength === 0
    );
  }

  get keepAliveSeconds(): number | undefined {
    return this.#parser?.head?.keepAliveSeconds;
  }

  /** Gives the connection to a request; `onConnected` follows when it has not been established yet. */
  assign(user: ChannelUser, method: string, mayUpgrade: boolean): void {
    this.#user = user;
    this.#parser = new ResponseParser(this.#shared.limits, user, method, mayUpgrade);
    this.#anyByte = false;
    this.served += 1;
  }

  /** Takes it from its request. What arrives now, before the next one is assigned, destroys it. */
  unassign(): void {
    this.#user = undefined;
    this.#parser = undefined;
    if (this.#paused) this.resumeReading();
  }

  sendHead(exchange: ClientExchange, options: RequestHeadOptions): void {
    this.#chunked = options.framing.kind === 'open';
    const forwarded = this.#shared.forwardedLines.of(exchange, options);
    this.#socket.write(requestHead(exchange, options, forwarded), 'latin1');
  }

  /** RFC 9112 7.1: of a chunk, size, content and border leave in one write. */
  write(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    if (!this.#chunked) return socket.write(chunk);
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    const drained = socket.write('\r\n', 'latin1');
    socket.uncork();
    return drained;
  }

  end(trailers: RawHeaders): void {
    if (this.#chunked) this.#socket.write(`0\r\n${fieldLines(trailers)}\r\n`, 'latin1');
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pauseReading(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  /** RFC 9112 9.3.2: with a part of the request missing, the next one would be read as the rest of it. */
  release(requestComplete: boolean): void {
    if (requestComplete) this.#owner.onReleased(this);
    else this.destroy();
  }

  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }

  switchTo(tunnel: SwitchedUser): this {
    this.#user = undefined;
    this.#parser = undefined;
    this.#tunnel = tunnel;
    return this;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get stuck(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get ended(): boolean {
    return this.#socket.readableEnded;
  }

  finish(): void {
    this.#socket.end();
  }

  destroySoon(): void {
    this.#socket.destroySoon();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('error', (error) => (this.#error = error));
    socket.on(connectedEvent(this.endpoint), () => {
      this.#connected = true;
      this.#user?.onConnected();
    });
    // Over TCP bytes come through `onread`; who listens here is what makes them be read.
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('end', () => this.#end());
    socket.on('drain', () => (this.#user ?? this.#tunnel)?.onWritable());
    socket.on('close', () => {
      this.#fail(this.#closeFailure());
      this.#owner.onClosed(this);
      this.#tunnel?.onClosed();
    });
  }

  /** @param bytes overwritten by the next read: whoever keeps something of them makes a copy */
  #read(bytes: Buffer): void {
    const user = this.#user;
    const parser = this.#parser;
    if (user === undefined || parser === undefined) {
      if (this.#tunnel !== undefined) {
        this.#tunnel.onBytes(bytes);
        return;
      }
      // CVE-2026-48931: nobody has asked for anything, so that this could only be taken for the answer to somebody else.
      this.#socket.destroy();
      return;
    }
    this.#anyByte = true;
    try {
      parser.parse(bytes);
    } catch (error) {
      // Whatever a response makes us stumble over concerns this request alone.
      const what = error instanceof MalformedResponse ? 'is not valid' : 'could not be passed on';
      const message = `The response of ${this.#address} ${what}: ${messageOf(error)}.`;
      this.#fail({ code: 'upstream_bad_response', message, cause: error, beforeResponse: false });
      return;
    }
    user.onReadEnd();
  }

  #end(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.onEnd();
      return;
    }
    const parser = this.#parser;
    if (this.#user === undefined || parser?.endsWithConnection !== true) {
      this.#fail(this.#closeFailure());
      return;
    }
    // A reset right behind the last bytes shows as an end; only a write, and be it of nothing, tells the one from the other.
    this.#socket.write(NOTHING, (error) => {
      if (this.#user !== undefined && error == null) parser.finish();
    });
  }

  #fail(failure: ChannelFailure): void {
    const user = this.#user;
    this.destroy();
    user?.onFailure(failure);
  }

  #closeFailure(): ChannelFailure {
    const cause = this.#error;
    if (!this.#connected) {
      const message = `No connection to ${this.#address}: ${messageOf(cause ?? 'it was closed')}.`;
      return { code: 'upstream_refused', message, cause, beforeResponse: true };
    }
    const when = this.#anyByte ? 'before its response was complete' : 'without a response';
    const message = `${this.#address} closed the connection ${when}${cause === undefined ? '' : ` (${messageOf(cause)})`}.`;
    return { code: 'upstream_reset', message, cause, beforeResponse: !this.#anyByte };
  }

  get #address(): string {
    return `${this.endpoint.host}:${this.endpoint.port}`;
  }
}
