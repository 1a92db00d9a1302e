import type { ClientHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { messageOf } from '../../lib/coded-error.ts';
import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { toHttp2Fields } from '../exchange/http2-fields.ts';
import type { HeadLimits } from './http2-head.ts';
import { http2Head } from './http2-head.ts';
import { http2RequestFields } from './http2-request.ts';
import type { Http2Session } from './http2-session.ts';
import type { RequestHeadOptions } from './request-head.ts';
import { MalformedResponse } from './malformed-response.ts';
import type { ChannelFailure, ChannelUser, UpstreamChannel } from './upstream-channel.ts';

export interface ChannelOwner {
  /** A channel that had no session yet is not wanted any more. */
  onGivenUp(channel: Http2Channel): void;
}

export interface ChannelLimits extends HeadLimits {
  /** Interim responses to one request. */
  readonly maxInterim: number;
  /** A request that is given up after this, without a byte on the whole connection since, casts doubt on it. */
  readonly doubtAfterMs: number;
}

/** One request and its response as an HTTP/2 stream, from the wait for a place on a session to the end. */
export class Http2Channel implements UpstreamChannel {
  readonly #owner: ChannelOwner;
  readonly #limits: ChannelLimits;
  #session: Http2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #user: ChannelUser | undefined;
  #method = '';
  #requestTrailers: RawHeaders = [];
  #responseTrailers: RawHeaders = [];
  #interim = 0;
  #sentAt = 0;
  #bytesReadBefore = 0;
  #state: 'waiting' | 'sent' | 'heard' | 'responded' = 'waiting';
  /** END_STREAM has come. */
  #ended = false;
  #left = false;
  #abandoned = false;

  constructor(owner: ChannelOwner, limits: ChannelLimits, session?: Http2Session) {
    this.#owner = owner;
    this.#limits = limits;
    this.#session = session;
    session?.enter();
  }

  get closed(): boolean {
    return this.#left || this.#session?.closed === true;
  }

  assign(user: ChannelUser, method: string): void {
    this.#user = user;
    this.#method = method;
  }

  /** The place that it has waited for. */
  begin(session: Http2Session): void {
    session.enter();
    this.#session = session;
    this.#user?.onConnected();
  }

  fail(failure: ChannelFailure): void {
    const user = this.#user;
    this.destroy();
    user?.onFailure(failure);
  }

  sendHead(exchange: ClientExchange, options: RequestHeadOptions): void {
    const session = this.#session;
    if (session === undefined || this.#left) return;
    const { kind } = options.framing;
    this.#state = 'sent';
    this.#sentAt = performance.now();
    this.#bytesReadBefore = session.bytesRead;
    try {
      const ending = { endStream: kind === 'none', waitForTrailers: kind === 'open' };
      this.#stream = session.request(http2RequestFields(exchange, options), ending);
    } catch (cause) {
      // The session may have ended just now, or the head cannot be said in HTTP/2: node:http2 throws for either.
      const failure = session.closed ? session.failure(true, true) : notPassedOn('request', cause);
      process.nextTick(() => this.fail(failure));
      return;
    }
    this.#listen(this.#stream);
  }

  write(content: Uint8Array): boolean {
    return this.#stream?.write(content) ?? true;
  }

  end(trailers: RawHeaders): void {
    this.#requestTrailers = trailers;
    this.#stream?.end();
  }

  cork(): void {
    this.#stream?.cork();
  }

  uncork(): void {
    this.#stream?.uncork();
  }

  pauseReading(): void {
    this.#stream?.pause();
  }

  resumeReading(): void {
    this.#stream?.resume();
  }

  /** RFC 9113 8.1: what was not sent of the request is not wanted any more. */
  release(requestComplete: boolean): void {
    this.#dropUser();
    if (!requestComplete) this.#cancel();
  }

  destroy(): void {
    const session = this.#session;
    const hadUser = this.#dropUser() !== undefined;
    if (session === undefined) this.#owner.onGivenUp(this);
    else if (this.#stream === undefined) this.#leave();
    else {
      const isDoubtful = hadUser && this.#state === 'sent' && session.bytesRead === this.#bytesReadBefore;
      if (isDoubtful && performance.now() - this.#sentAt >= this.#limits.doubtAfterMs) session.doubt();
      this.#cancel();
    }
  }

  switchTo(): never {
    throw new Error('an HTTP/2 stream does not change its protocol');
  }

  /** `close` ends the content first, which makes a part of a request look like the whole. */
  #cancel(): void {
    const stream = this.#stream;
    if (stream?.writableEnded === false) stream.destroy(new Error('The request was not complete.'));
    else stream?.close(constants.NGHTTP2_CANCEL);
  }

  #dropUser(): ChannelUser | undefined {
    const user = this.#user;
    this.#user = undefined;
    if (this.#session !== undefined && !this.#abandoned) {
      this.#abandoned = true;
      this.#session.abandon();
    }
    return user;
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#session?.leave();
  }

  #listen(stream: ClientHttp2Stream): void {
    // A reset with NO_ERROR ends what can be read just like END_STREAM does: only when it comes the two can be told apart.
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !stream.closed && !stream.destroyed) this.#ended = true;
      return push(chunk, encoding);
    };
    stream.on('headers', (_fields: unknown, _flags: number, raw: string[]) => this.#guard(() => this.#onInterim(raw)));
    stream.on('response', (_fields: unknown, flags: number, raw: string[]) => {
      this.#guard(() => this.#onHead(stream, raw, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0));
    });
    stream.on('trailers', (_fields: unknown, _flags: number, raw: string[]) => (this.#responseTrailers = raw));
    stream.on('wantTrailers', () => this.#sendTrailers(stream));
    stream.on('drain', () => this.#user?.onWritable());
    stream.on('end', () => {
      if (this.#ended && this.#state === 'responded') this.#user?.onComplete(this.#responseTrailers);
    });
    // The close that follows tells.
    stream.on('error', () => undefined);
    stream.once('close', () => {
      const user = this.#dropUser();
      this.#leave();
      user?.onFailure(this.#closeFailure(stream));
    });
  }

  /** An event of node:http2 brings us here: what is thrown now would end the process, with everybody's requests. */
  #sendTrailers(stream: ClientHttp2Stream): void {
    if (stream.closed) return;
    try {
      stream.sendTrailers(toHttp2Fields(this.#requestTrailers));
    } catch (error) {
      this.fail(notPassedOn('request', error));
    }
  }

  #onInterim(raw: RawHeaders): void {
    this.#state = 'heard';
    this.#interim += 1;
    if (this.#interim > this.#limits.maxInterim) throw new MalformedResponse('it has too many interim responses');
    this.#user?.onInterim(http2Head(raw, this.#limits));
  }

  #onHead(stream: ClientHttp2Stream, raw: RawHeaders, endStream: boolean): void {
    this.#state = 'responded';
    const head = http2Head(raw, this.#limits);
    const { status } = head;
    this.#user?.onHead(head, !endStream && this.#method !== 'HEAD' && status !== 204 && status !== 304);
    // Not before the head: content that is there already is told at once, the head with the next tick.
    stream.on('data', (chunk: Buffer) => this.#guard(() => this.#user?.onContent(chunk)));
    process.nextTick(() => this.#user?.onReadEnd());
  }

  /** Whatever a response makes us stumble over concerns this request alone. */
  #guard(step: () => void): void {
    if (this.#user === undefined) return;
    try {
      step();
    } catch (error) {
      this.fail(notPassedOn('response', error));
    }
  }

  #closeFailure(stream: ClientHttp2Stream): ChannelFailure {
    const beforeResponse = this.#state === 'sent';
    const session = this.#session;
    const unprocessed = beforeResponse && session?.wasProcessed(stream) === false;
    if (session?.destroyed === true) return session.failure(beforeResponse, unprocessed);
    const code = stream.rstCode === constants.NGHTTP2_PROTOCOL_ERROR ? 'upstream_bad_response' : 'upstream_reset';
    const message = `The upstream reset the stream ${beforeResponse ? 'without a response' : 'before its response was complete'} (HTTP/2 code ${String(stream.rstCode)}).`;
    return { code, message, beforeResponse, unprocessed };
  }
}

function notPassedOn(what: 'request' | 'response', cause: unknown): ChannelFailure {
  const why = cause instanceof MalformedResponse ? 'is not valid' : 'could not be passed on';
  const message = `The ${what} ${why} over HTTP/2: ${messageOf(cause)}.`;
  return { code: 'upstream_bad_response', message, cause, beforeResponse: false };
}
