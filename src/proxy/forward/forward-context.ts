import type { Endpoint } from '../../seam/fleet-view.ts';
import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import type { ForwardLimits } from './forward-limits.ts';
import type { Http1UpgradeExchange } from '../exchange/http1-upgrade-exchange.ts';
import type { Bagged } from './bag.ts';
import type { LoopTurns } from './loop-turns.ts';
import type { Ticker, Ticking } from './ticker.ts';
import type { ChannelPool } from './upstream-channel.ts';
import type { Via } from './via.ts';

export interface Cancellable extends Ticking, Bagged {
  /** Cuts it off, whatever it is doing. */
  cancel(): void;
}

/** What all requests of a forwarder share. */
export interface ForwardContext {
  readonly ticker: Ticker;
  readonly turns: LoopTurns;
  readonly limits: ForwardLimits;
  readonly via: Via;
  readonly trusted: (remoteAddress: string) => boolean;
  /** Something more is under way from now on. */
  readonly onBegun: (exchange: Cancellable) => void;
  readonly onSettled: (exchange: Cancellable) => void;
}

export interface ForwardedRequest {
  readonly exchange: ClientExchange;
  readonly endpoint: Endpoint;
  /** Of the protocol that the upstream speaks. */
  readonly pool: ChannelPool;
  readonly extra: RawHeaders;
  /** Only a new connection will do. */
  readonly fresh: boolean;
  /** The same exchange, when it asks for a WebSocket. */
  readonly upgrade?: Http1UpgradeExchange;
  readonly onAnswered?: (() => void) | undefined;
  /** How long the upstream may take until the head of its response. */
  readonly responseTimeoutMs: number;
}
