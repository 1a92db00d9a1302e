import { CodedError } from '../../lib/coded-error.ts';

export type UpstreamErrorCode =
  /** No connection could be made. */
  | 'upstream_refused'
  | 'connect_timeout'
  /** The connection ended before the response was complete. */
  | 'upstream_reset'
  /** What came is not a response that can be trusted. */
  | 'upstream_bad_response'
  /** No response head in time. */
  | 'upstream_timeout'
  /** The client's fault: its content stopped, was more than allowed, or not as much as it had announced. */
  | 'body_timeout'
  | 'body_too_large'
  | 'body_length_mismatch'
  | 'forwarder_closed';

export interface UpstreamErrorOptions extends ErrorOptions {
  /** RFC 9110 9.2.2: the request may be sent once more without a chance that it is served twice. */
  readonly replayable?: boolean;
  /** The connection had served before and was found closed: says nothing about the health of the upstream. */
  readonly stale?: boolean;
}

/** A request that could not be answered by its upstream, while nothing has reached the client. */
export class UpstreamError extends CodedError {
  declare readonly code: UpstreamErrorCode;
  readonly replayable: boolean;
  readonly stale: boolean;

  constructor(code: UpstreamErrorCode, message: string, { replayable, stale, ...options }: UpstreamErrorOptions = {}) {
    super(code, message, options);
    this.replayable = replayable ?? false;
    this.stale = stale ?? false;
  }
}
