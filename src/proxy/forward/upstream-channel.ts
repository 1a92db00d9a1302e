import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import type { RequestHeadOptions } from './request-head.ts';
import type { ResponseHandler } from './response-handler.ts';
import type { Endpoint } from '../../seam/fleet-view.ts';
import type { UpstreamErrorCode } from './upstream-error.ts';

/** Why a channel is of no use any more to the request that has it. */
export interface ChannelFailure {
  readonly code: UpstreamErrorCode;
  readonly message: string;
  readonly cause?: unknown;
  /** True when not one byte of a response had come. */
  readonly beforeResponse: boolean;
  /** RFC 9113 8.7: the upstream has said, or it is plain, that it did nothing with the request. */
  readonly unprocessed?: boolean;
}

/** The one request that a channel serves at a time. */
export interface ChannelUser extends ResponseHandler {
  onConnected(): void;
  /** What had been written has left; more may be. */
  onWritable(): void;
  /** All that had come at once has been handed over. */
  onReadEnd(): void;
  /** Called at most once, when the channel has ended before the response was complete. */
  onFailure(failure: ChannelFailure): void;
}

/** What carries one request to an upstream and its response back: an HTTP/1 connection for a while, or an HTTP/2 stream. */
export interface UpstreamChannel {
  /** No request can be sent on it any more. */
  readonly closed: boolean;
  /** Gives the channel to a request; `onConnected` follows when it has just been asked for. */
  assign(user: ChannelUser, method: string, mayUpgrade: boolean): void;
  sendHead(exchange: ClientExchange, options: RequestHeadOptions): void;
  /** Sends content in the framing that the head announced; false means: wait for `onWritable`. */
  write(content: Uint8Array): boolean;
  /** The end of the content. */
  end(trailers: RawHeaders): void;
  /** What is written between the two leaves in one piece. */
  cork(): void;
  uncork(): void;
  pauseReading(): void;
  resumeReading(): void;
  /** The response is complete. @param requestComplete false when a part of the request was never sent */
  release(requestComplete: boolean): void;
  /** Gives the request up; its user hears nothing more. */
  destroy(): void;
  /** After `onSwitched`: gives the channel to a tunnel, for what it is from then on. */
  switchTo(user: SwitchedUser): SwitchedChannel;
}

/** The one that has a channel on which HTTP is over. */
export interface SwitchedUser {
  /** @param bytes overwritten by what is read next: whoever keeps something of them makes a copy */
  onBytes(bytes: Buffer): void;
  /** What had been written has left; more may be. */
  onWritable(): void;
  /** The upstream has said its last; it may still listen. */
  onEnd(): void;
  /** Nothing more is heard of it. */
  onClosed(): void;
}

/** A channel on which HTTP is over: it carries bytes as they are. */
export interface SwitchedChannel {
  readonly bytesRead: number;
  /** It has been given more than the upstream has taken so far. */
  readonly stuck: boolean;
  /** The upstream has said its last. */
  readonly ended: boolean;
  /** False means: wait for `onWritable`. */
  write(bytes: Uint8Array): boolean;
  /** Nothing more will be written; what the upstream says is still read. */
  finish(): void;
  pauseReading(): void;
  resumeReading(): void;
  /** Closes once all that was written has left. */
  destroySoon(): void;
  destroy(): void;
}

/** Where channels come from, for one protocol. */
export interface ChannelPool {
  /** Connections, in use and idle. */
  readonly open: number;
  readonly idle: number;
  /** A channel on a connection that is there; it has to pass two turns of the loop before it may be used (LoopTurns). */
  take(endpoint: Endpoint): UpstreamChannel | undefined;
  /** A channel on a connection that still has to be made. */
  connect(endpoint: Endpoint): UpstreamChannel;
  destroyIdle(): void;
  destroyAll(): void;
}
