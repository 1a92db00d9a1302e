import type { Socket } from 'node:net';
import { sendCopy } from '../exchange/send-copy.ts';
import type { Cancellable, ForwardContext } from './forward-context.ts';
import type { SwitchedChannel, SwitchedUser, UpstreamChannel } from './upstream-channel.ts';

/**
 * Two connections that are one: bytes, back-pressure, a half-close and an end on one side are felt on the other.
 *
 * Most tunnels are idle, for hours, and there are thousands of them. So this keeps nothing of the request that it came
 * from, and does without `pipe`, whose functions are ten for each direction.
 */
export class Tunnel implements Cancellable, SwitchedUser {
  place = 0;
  readonly #client: Socket;
  readonly #upstream: SwitchedChannel;
  readonly #context: ForwardContext;
  #clientClosed = false;
  #upstreamClosed = false;
  #closeListener: (() => void) | undefined;
  #bytesBefore = 0;
  #deadline = Infinity;

  constructor(client: Socket, channel: UpstreamChannel, context: ForwardContext) {
    this.#client = client;
    this.#upstream = channel.switchTo(this);
    this.#context = context;
  }

  /** @param early what the client has sent after its request @param rest what the upstream has sent after its 101 */
  start(early: Buffer, rest: Buffer): void {
    const client = this.#client;
    client.allowHalfOpen = true;
    client.setNoDelay(true);
    client.setTimeout(0);
    client.on('data', (bytes: Buffer) => this.#send(bytes));
    client.on('drain', () => this.#upstream.resumeReading());
    client.on('end', () => this.#upstream.finish());
    client.on('close', () => this.#onClientClosed());
    client.resume();
    if (early.length > 0) this.#send(early);
    if (rest.length > 0) this.onBytes(rest);
  }

  /** Bytes of both directions. */
  get bytes(): number {
    return this.#client.bytesRead + this.#upstream.bytesRead;
  }

  /** Calls its one listener back when both ends are closed. */
  whenClosed(listener: () => void): void {
    if (this.#isClosed) listener();
    else this.#closeListener = listener;
  }

  cancel(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  /** Nothing is asked of a silent tunnel; one that is stuck or half closed has to move within the limit. */
  tick(nowMs: number): void {
    const { ticker, limits } = this.#context;
    if (!this.#mustMove) this.#deadline = Infinity;
    else if (this.#deadline === Infinity || this.bytes !== this.#bytesBefore) {
      this.#bytesBefore = this.bytes;
      this.#deadline = ticker.deadline(limits.stallTimeoutMs);
    } else if (nowMs >= this.#deadline) this.cancel();
  }

  onBytes(bytes: Buffer): void {
    if (!sendCopy(this.#client, bytes)) this.#upstream.pauseReading();
  }

  onWritable(): void {
    this.#client.resume();
  }

  onEnd(): void {
    this.#client.end();
  }

  /** After an end, what was said before it still reaches the client; what the client says then is for nobody. */
  onClosed(): void {
    const client = this.#client;
    this.#upstreamClosed = true;
    if (!this.#upstream.ended) client.destroy();
    else if (client.writableFinished) client.destroySoon();
    else client.once('finish', () => client.destroySoon());
    this.#settle();
  }

  #onClientClosed(): void {
    this.#clientClosed = true;
    if (this.#client.readableEnded) this.#upstream.destroySoon();
    else this.#upstream.destroy();
    this.#settle();
  }

  #send(bytes: Buffer): void {
    if (!this.#upstream.write(bytes)) this.#client.pause();
  }

  #settle(): void {
    if (!this.#isClosed) return;
    this.#context.onSettled(this);
    this.#closeListener?.();
  }

  get #isClosed(): boolean {
    return this.#clientClosed && this.#upstreamClosed;
  }

  get #mustMove(): boolean {
    const client = this.#client;
    const upstream = this.#upstream;
    return client.writableNeedDrain || upstream.stuck || client.readableEnded || upstream.ended;
  }
}
