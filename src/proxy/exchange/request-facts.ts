/** What has been decided about a request before it becomes an exchange; it does not follow from its head alone. */
export interface RequestFacts {
  readonly requestId: string;
  /** Origin form with the query, as the client wrote it: `/a/b?c=d`, or `*` for OPTIONS. */
  readonly target: string;
  /** The host without its port, lower case, without a trailing dot. */
  readonly host: string;
  /** The host as the client wrote it, with its port. */
  readonly authority: string;
  /** The name in the TLS handshake, if there was one. */
  readonly serverName: string | undefined;
  readonly secure: boolean;
  /** The address of the peer, never taken from a header. */
  readonly remoteAddress: string;
}
