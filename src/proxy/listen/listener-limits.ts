/** What one client may cost before anything is known about its request. Times in milliseconds, sizes in bytes. */
export interface ListenerLimits {
  /** From the TCP connection to the end of the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From the first moment of a connection (or the first byte of a later request) to the end of the request head. */
  readonly headersTimeoutMs: number;
  /** How often HTTP/1 connections are looked at for that. */
  readonly checkEveryMs: number;
  /** How long an HTTP/1 connection may be idle between requests. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may leave the rest of a complete answer unread. */
  readonly stallTimeoutMs: number;
  /** How long an HTTP/2 session may be without any stream. */
  readonly sessionIdleTimeoutMs: number;
  /** Request line and header fields together. */
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
  readonly maxUrlBytes: number;
  readonly maxConnections: number;
  /** For an IPv6 client its /64 counts as its address. */
  readonly maxConnectionsPerAddress: number;
  readonly maxConcurrentStreams: number;
  /** PING and SETTINGS frames of one HTTP/2 session at once, and per ten seconds after that. */
  readonly maxControlFrames: number;
  /** Streams that an HTTP/2 client may reset at once, and per second after that. */
  readonly streamResetBurst: number;
  readonly streamResetRate: number;
}

/** Handshake and head together stay below 16 s, so that a connection that drips bytes is never kept longer. */
export const defaultListenerLimits: ListenerLimits = {
  handshakeTimeoutMs: 6_000,
  headersTimeoutMs: 8_000,
  checkEveryMs: 500,
  keepAliveTimeoutMs: 75_000,
  stallTimeoutMs: 120_000,
  sessionIdleTimeoutMs: 75_000,
  maxHeaderBytes: 32_768,
  maxHeaderFields: 200,
  maxUrlBytes: 16_384,
  maxConnections: 16_384,
  maxConnectionsPerAddress: 2_048,
  maxConcurrentStreams: 128,
  maxControlFrames: 200,
  streamResetBurst: 500,
  streamResetRate: 33,
};
