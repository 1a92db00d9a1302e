import type { Tunnel } from './tunnel.ts';
import type { UpstreamError } from './upstream-error.ts';

/**
 * `abandoned`: the client left. `upstream_aborted`: the upstream failed after the head had left, the client saw an abort.
 * `client_stalled`: the client did not read what it had asked for.
 */
export type ForwardOutcome = 'completed' | 'abandoned' | 'upstream_aborted' | 'client_stalled';

/** How a forwarded request ended, once something had reached the client or the client had gone; with a 101, how far it has come. */
export interface ForwardResult {
  readonly outcome: ForwardOutcome;
  /** The status that the client was sent; undefined when it left before. */
  readonly status: number | undefined;
  /** Bytes of content that went to the client. */
  readonly bytes: number;
  /** Why the answer was cut short. */
  readonly error?: UpstreamError;
  /** What goes on after a 101, for days perhaps. */
  readonly tunnel?: Tunnel;
}
