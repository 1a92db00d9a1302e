/** Connections to upstreams that speak HTTP/2. */
interface Http2UpstreamLimits {
  /** Streams at once on one connection, if the upstream allows that many. */
  readonly maxStreams: number;
  /** When all are full, requests wait, at most for `connectTimeoutMs`. */
  readonly maxSessionsPerUpstream: number;
  readonly idleTimeoutMs: number;
  /** A request that is given up after this time, on a connection that has been silent for all of it, has it checked by a PING. */
  readonly doubtAfterMs: number;
  readonly pingTimeoutMs: number;
}

/** What one forwarded request may take. Times in milliseconds, sizes in bytes. */
export interface ForwardLimits {
  readonly connectTimeoutMs: number;
  /** From the end of the request to the head of the response. */
  readonly responseTimeoutMs: number;
  /** A client that sends content has to bring `minBodyBytes` within every such span. */
  readonly bodyTimeoutMs: number;
  readonly minBodyBytes: number;
  readonly maxBodyBytes: number;
  /** How long a client may leave what it is sent unread. */
  readonly stallTimeoutMs: number;
  /** How long content is held back for an upstream that says nothing to `Expect: 100-continue`. */
  readonly continueTimeoutMs: number;
  readonly maxResponseHeaderBytes: number;
  readonly maxResponseFields: number;
  readonly maxInterimResponses: number;
  readonly maxIdlePerUpstream: number;
  /** Below the 5 s after which Node and others close their side. */
  readonly idleTimeoutMs: number;
  readonly http2: Http2UpstreamLimits;
  /** How coarsely all these times are looked at. */
  readonly tickMs: number;
}

export const defaultForwardLimits: ForwardLimits = {
  connectTimeoutMs: 5_000,
  responseTimeoutMs: 60_000,
  bodyTimeoutMs: 15_000,
  minBodyBytes: 512,
  maxBodyBytes: Infinity,
  stallTimeoutMs: 60_000,
  continueTimeoutMs: 1_000,
  maxResponseHeaderBytes: 65_536,
  maxResponseFields: 256,
  maxInterimResponses: 16,
  maxIdlePerUpstream: 256,
  idleTimeoutMs: 4_000,
  http2: {
    maxStreams: 100,
    maxSessionsPerUpstream: 16,
    idleTimeoutMs: 60_000,
    doubtAfterMs: 5_000,
    pingTimeoutMs: 5_000,
  },
  tickMs: 100,
};
