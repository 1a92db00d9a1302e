import type { Deferred } from '../../lib/deferred.ts';
import { deferred } from '../../lib/deferred.ts';
import type { ClientExchange, ExchangeWatcher } from '../exchange/client-exchange.ts';
import type { Cancellable, ForwardContext, ForwardedRequest } from './forward-context.ts';
import type { ForwardOutcome, ForwardResult } from './forward-result.ts';
import type { AwaitsTurns } from './loop-turns.ts';
import type { BodyOwner } from './request-body-pump.ts';
import { RequestBodyPump } from './request-body-pump.ts';
import type { RequestFraming } from './request-framing.ts';
import { expectsContinue, requestFraming } from './request-framing.ts';
import type { UpstreamHead } from './upstream-head.ts';
import { switchingLines } from './response-fields.ts';
import { ResponseRelay } from './response-relay.ts';
import { Tunnel } from './tunnel.ts';
import type { ChannelFailure, ChannelUser, UpstreamChannel } from './upstream-channel.ts';
import { UpstreamError } from './upstream-error.ts';
import type { UpstreamErrorCode } from './upstream-error.ts';

/** RFC 9110 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** One request on its way to one upstream, with the response on its way back. */
export class ForwardedExchange implements Cancellable, ChannelUser, BodyOwner, AwaitsTurns, ExchangeWatcher {
  place = 0;
  readonly #request: ForwardedRequest;
  readonly #exchange: ClientExchange;
  readonly #context: ForwardContext;
  readonly #relay: ResponseRelay;
  readonly #framing: RequestFraming;
  readonly #done: Deferred<ForwardResult> = deferred();
  #channel: UpstreamChannel | undefined;
  #pump: RequestBodyPump | undefined;
  #settled = false;
  #reused = false;
  #listensForDrain = false;
  #connectDeadline = Infinity;
  #continueDeadline = Infinity;
  #headDeadline = Infinity;
  #stallDeadline = Infinity;

  constructor(request: ForwardedRequest, context: ForwardContext) {
    this.#request = request;
    this.#exchange = request.exchange;
    this.#context = context;
    this.#relay = new ResponseRelay(request.exchange, request.extra, context.via);
    this.#framing = requestFraming(request.exchange);
  }

  /** @throws UpstreamError as long as nothing has reached the client */
  run(): Promise<ForwardResult> {
    const { turns, limits } = this.#context;
    const { pool } = this.#request;
    if (this.#exchange.abandoned) this.#settle('abandoned');
    else if (this.#framing.kind === 'length' && this.#framing.length > limits.maxBodyBytes) this.#refuseLargeBody();
    else {
      this.#exchange.watch(this);
      this.#channel = this.#request.fresh ? undefined : pool.take(this.#request.endpoint);
      if (this.#channel === undefined) this.#connect();
      else turns.wait(this);
    }
    return this.#done.promise;
  }

  cancel(): void {
    if (this.#settled) return;
    this.#failWith(new UpstreamError('forwarder_closed', 'The proxy was stopped before the answer was complete.'));
  }

  onTurned(): void {
    if (this.#settled || this.#channel === undefined) return;
    if (this.#channel.closed) {
      this.#connect();
      return;
    }
    this.#reused = true;
    this.#channel.assign(this, this.#exchange.method, this.#request.upgrade !== undefined);
    this.#send(this.#channel);
  }

  onAbandoned(): void {
    if (this.#settled) return;
    this.#channel?.destroy();
    this.#settle('abandoned');
  }

  onConnected(): void {
    this.#connectDeadline = Infinity;
    if (this.#channel !== undefined) this.#send(this.#channel);
  }

  onWritable(): void {
    this.#pump?.onWritable();
  }

  onReadEnd(): void {
    if (!this.#settled) this.#relay.flush();
  }

  onInterim(head: UpstreamHead): void {
    if (this.#settled) return;
    if (head.status !== 100) this.#relay.sendInterim(head);
    else if (this.#continueDeadline !== Infinity) this.#releaseContent();
  }

  onHead(head: UpstreamHead, hasContent: boolean): void {
    if (this.#settled) return;
    this.#headDeadline = Infinity;
    this.#continueDeadline = Infinity;
    // RFC 9112 9.3: whoever refuses content, or is going to close, does not want the rest of it.
    if (head.status >= 400 || head.connection.includes('close') || this.#pump?.untouched === true) this.#pump?.stop();
    this.#request.onAnswered?.();
    this.#relay.sendHead(head, hasContent);
  }

  onContent(chunk: Buffer): void {
    if (this.#settled || this.#relay.sendContent(chunk)) return;
    this.#channel?.pauseReading();
    this.#startStallTimer();
    if (this.#listensForDrain) return;
    this.#listensForDrain = true;
    this.#exchange.onDrain(() => this.#onDrained());
  }

  onComplete(trailers: readonly string[]): void {
    if (this.#settled) return;
    const channel = this.#channel;
    this.#pump?.stop();
    this.#relay.end(trailers);
    if (channel === undefined) return;
    channel.release(this.#pump === undefined || this.#pump.sent);
    this.#settle('completed');
  }

  onSwitched(head: UpstreamHead, rest: Buffer): void {
    const { upgrade, extra, onAnswered } = this.#request;
    if (this.#settled || upgrade === undefined || this.#channel === undefined) return;
    onAnswered?.();
    const { socket, early } = upgrade.takeSocket();
    const lines = switchingLines(head, extra, this.#context.via, upgrade.requestId);
    socket.write(`HTTP/1.1 101 ${head.reason}\r\n${lines}\r\n`, 'latin1');
    const tunnel = new Tunnel(socket, this.#channel, this.#context);
    // Before the request is over: there is no moment at which nothing is under way.
    this.#context.onBegun(tunnel);
    tunnel.start(early, rest);
    this.#finish();
    this.#done.resolve({ outcome: 'completed', status: 101, bytes: 0, tunnel });
  }

  onFailure({ code, message, cause, beforeResponse, unprocessed = false }: ChannelFailure): void {
    if (this.#settled) return;
    const untouched = this.#pump === undefined || this.#pump.untouched;
    const stale = this.#reused && (unprocessed || (beforeResponse && code === 'upstream_reset'));
    const safe = unprocessed || code === 'upstream_refused' || (stale && IDEMPOTENT.has(this.#exchange.method));
    const replayable = untouched && safe;
    this.#failWith(new UpstreamError(code, message, { cause, replayable, stale }));
  }

  onBodySent(): void {
    if (this.#relay.status === undefined) this.#startHeadTimer();
  }

  onBodyFailure(code: UpstreamErrorCode, message: string): void {
    if (!this.#settled) this.#failWith(new UpstreamError(code, message));
  }

  tick(nowMs: number): void {
    if (this.#settled) return;
    const { endpoint } = this.#request;
    const address = `${endpoint.host}:${endpoint.port}`;
    if (this.#exchange.queued) this.#spareClient();
    // As long as the client has more to send and the upstream takes it, nobody can expect an answer.
    if (this.#pump?.running === true && this.#relay.status === undefined) this.#startHeadTimer();
    if (nowMs >= this.#connectDeadline) {
      const { connectTimeoutMs } = this.#context.limits;
      const message = `${address} accepted no connection within ${connectTimeoutMs} ms.`;
      this.#failWith(new UpstreamError('connect_timeout', message, { replayable: true }));
    } else if (nowMs >= this.#headDeadline) {
      const message = `${address} sent no response within ${this.#request.responseTimeoutMs} ms.`;
      this.#failWith(new UpstreamError('upstream_timeout', message));
    } else if (nowMs >= this.#stallDeadline) this.#cutStalledClient();
    else {
      if (nowMs >= this.#continueDeadline) this.#releaseContent();
      // Once the response is under way, how the two converse is their own affair.
      if (this.#relay.status === undefined) this.#pump?.tick(nowMs);
    }
  }

  #connect(): void {
    const { ticker, limits } = this.#context;
    this.#reused = false;
    this.#connectDeadline = ticker.deadline(limits.connectTimeoutMs);
    const mayUpgrade = this.#request.upgrade !== undefined;
    this.#channel = this.#request.pool.connect(this.#request.endpoint);
    this.#channel.assign(this, this.#exchange.method, mayUpgrade);
  }

  #send(channel: UpstreamChannel): void {
    const { limits, ticker, via, trusted } = this.#context;
    const exchange = this.#exchange;
    const framing = this.#framing;
    const waits = expectsContinue(exchange);
    const options = {
      framing,
      expectsContinue: waits,
      webSocket: this.#request.upgrade !== undefined,
      trusted: trusted(exchange.remoteAddress),
      via,
    };
    this.#startHeadTimer();
    if (framing.kind === 'none') {
      channel.sendHead(exchange, options);
      return;
    }
    const length = framing.kind === 'length' ? framing.length : undefined;
    this.#pump = new RequestBodyPump(exchange, channel, length, limits, this, ticker);
    if (waits) {
      channel.sendHead(exchange, options);
      this.#continueDeadline = ticker.deadline(limits.continueTimeoutMs);
      return;
    }
    channel.cork();
    channel.sendHead(exchange, options);
    this.#pump.start();
    // Content that is at hand comes with the next tick, and goes out together with the head.
    process.nextTick(uncork, channel);
  }

  /** The upstream wants the content, or has had its time to say otherwise (RFC 9110 10.1.1). */
  #releaseContent(): void {
    this.#continueDeadline = Infinity;
    this.#exchange.sendInformation(100, []);
    this.#startHeadTimer();
    this.#pump?.start();
  }

  #startHeadTimer(): void {
    this.#headDeadline = this.#context.ticker.deadline(this.#request.responseTimeoutMs);
  }

  #onDrained(): void {
    this.#stallDeadline = Infinity;
    if (!this.#settled) this.#channel?.resumeReading();
  }

  /** What the client does not take, or send, it cannot yet: its time begins when it is its turn. */
  #spareClient(): void {
    if (this.#stallDeadline !== Infinity) this.#startStallTimer();
    this.#pump?.restartTime();
  }

  #startStallTimer(): void {
    this.#stallDeadline = this.#context.ticker.deadline(this.#context.limits.stallTimeoutMs);
  }

  #cutStalledClient(): void {
    this.#channel?.destroy();
    this.#exchange.abort();
    this.#settle('client_stalled');
  }

  #refuseLargeBody(): void {
    const message = `The content is larger than ${this.#context.limits.maxBodyBytes} bytes.`;
    this.#failWith(new UpstreamError('body_too_large', message));
  }

  /** Before anything has reached the client somebody else can still answer; after that the answer can only be cut. */
  #failWith(error: UpstreamError): void {
    this.#pump?.stop();
    this.#channel?.destroy();
    if (this.#relay.status !== undefined) {
      this.#exchange.abort();
      this.#settle('upstream_aborted', error);
      return;
    }
    this.#finish();
    this.#done.reject(error);
  }

  #settle(outcome: ForwardOutcome, error?: UpstreamError): void {
    this.#finish();
    const { status, bytes } = this.#relay;
    this.#done.resolve(error === undefined ? { outcome, status, bytes } : { outcome, status, bytes, error });
  }

  #finish(): void {
    this.#exchange.watch(undefined);
    this.#settled = true;
    this.#context.onSettled(this);
  }
}

function uncork(channel: UpstreamChannel): void {
  channel.uncork();
}
