import type { ClientExchange } from '../exchange/client-exchange.ts';
import { nominatedBy } from './request-fields.ts';
import { trailerFields } from './trailer-fields.ts';
import type { Ticker } from './ticker.ts';
import type { UpstreamChannel } from './upstream-channel.ts';
import type { UpstreamErrorCode } from './upstream-error.ts';

export interface BodyLimits {
  /** Within every such span the client has to bring something worth the wait. */
  readonly bodyTimeoutMs: number;
  readonly minBodyBytes: number;
  readonly maxBodyBytes: number;
}

export interface BodyOwner {
  onBodySent(): void;
  onBodyFailure(code: UpstreamErrorCode, message: string): void;
}

/** What is still read of content that nobody wants, so that a client that only sends comes to read its answer. */
const MAX_DISCARDED_BYTES = 1_048_576;

/** Carries the content of one request to its upstream, no faster than the upstream reads. */
export class RequestBodyPump {
  readonly #exchange: ClientExchange;
  readonly #channel: UpstreamChannel;
  /** The verified Content-Length; undefined when only its end shows it. */
  readonly #length: number | undefined;
  readonly #limits: BodyLimits;
  readonly #owner: BodyOwner;
  readonly #ticker: Ticker;
  readonly #onData = (chunk: Buffer): void => this.#send(chunk);
  readonly #onEnd = (): void => this.#finish();
  #state: 'held' | 'running' | 'blocked' | 'sent' | 'stopped' = 'held';
  #bytes = 0;
  #windowBytes = 0;
  #deadline = Infinity;

  constructor(
    exchange: ClientExchange,
    channel: UpstreamChannel,
    length: number | undefined,
    limits: BodyLimits,
    owner: BodyOwner,
    ticker: Ticker,
  ) {
    this.#exchange = exchange;
    this.#channel = channel;
    this.#length = length;
    this.#limits = limits;
    this.#owner = owner;
    this.#ticker = ticker;
  }

  /** Not one byte has been taken from the client. */
  get untouched(): boolean {
    return this.#state === 'held';
  }

  get sent(): boolean {
    return this.#state === 'sent';
  }

  /** More is to come from the client, and the upstream takes it. */
  get running(): boolean {
    return this.#state === 'running';
  }

  start(): void {
    if (this.#state !== 'held') return;
    this.#state = 'running';
    this.#restartWindow();
    const { body } = this.#exchange;
    body.on('data', this.#onData);
    body.on('end', this.#onEnd);
    // node:http2 tells the end of content that turns out to be none at once, whether somebody listens or not.
    if (body.readableEnded) this.#finish();
    // A listener alone does not start a stream that somebody has paused.
    else body.resume();
  }

  /** Sends no more; a little of what still comes is read and dropped. */
  stop(): void {
    const wasActive = this.#state === 'running' || this.#state === 'blocked';
    this.#state = this.#state === 'sent' ? 'sent' : 'stopped';
    if (!wasActive) return;
    const { body } = this.#exchange;
    body.off('data', this.#onData);
    body.off('end', this.#onEnd);
    let discarded = 0;
    body.on('data', (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > MAX_DISCARDED_BYTES) body.pause();
    });
    body.resume();
  }

  onWritable(): void {
    if (this.#state !== 'blocked') return;
    this.#state = 'running';
    this.#restartWindow();
    this.#exchange.body.resume();
  }

  /** The client cannot send now. */
  restartTime(): void {
    this.#deadline = this.#ticker.deadline(this.#limits.bodyTimeoutMs);
  }

  tick(nowMs: number): void {
    if (this.#state !== 'running' || nowMs < this.#deadline) return;
    if (this.#windowBytes >= this.#limits.minBodyBytes) {
      this.#restartWindow();
      return;
    }
    const seconds = this.#limits.bodyTimeoutMs / 1_000;
    this.#fail(
      'body_timeout',
      `The client sent less than ${this.#limits.minBodyBytes} bytes of its content in ${seconds} s.`,
    );
  }

  #restartWindow(): void {
    this.#windowBytes = 0;
    this.restartTime();
  }

  #send(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#windowBytes += chunk.length;
    if (this.#length !== undefined && this.#bytes > this.#length) {
      this.#fail('body_length_mismatch', TOO_LONG);
      return;
    }
    if (this.#bytes > this.#limits.maxBodyBytes) {
      this.#fail('body_too_large', `The content is larger than ${this.#limits.maxBodyBytes} bytes.`);
      return;
    }
    if (chunk.length === 0) return;
    if (this.#channel.write(chunk)) return;
    this.#state = 'blocked';
    this.#exchange.body.pause();
  }

  #finish(): void {
    // node:http2 lets the content of a stream that was reset end like any other: the upstream must not take it for all.
    if (this.#exchange.abandoned) return;
    if (this.#length !== undefined && this.#bytes !== this.#length) {
      this.#fail('body_length_mismatch', TOO_SHORT);
      return;
    }
    const trailers = this.#exchange.trailers();
    this.#channel.end(trailers.length === 0 ? trailers : trailerFields(trailers, nominatedBy(this.#exchange)));
    this.#state = 'sent';
    this.#owner.onBodySent();
  }

  #fail(code: UpstreamErrorCode, message: string): void {
    this.stop();
    this.#owner.onBodyFailure(code, message);
  }
}

const TOO_LONG = 'The client sent more content than its Content-Length says.';
const TOO_SHORT = 'The client sent less content than its Content-Length says.';
