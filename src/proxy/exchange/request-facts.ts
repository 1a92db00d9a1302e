/** What has been decided about a request before it becomes an exchange; it does not follow from its head alone. */
export interface RequestFacts {
  readonly requestId: string;
  /** Origin form with the query, or `*`. */
  readonly target: string;
  /** Lower case, without port and trailing dot. */
  readonly host: string;
  /** The host as the client wrote it, with its port. */
  readonly authority: string;
  /** The name in the TLS handshake. */
  readonly serverName: string | undefined;
  readonly secure: boolean;
  /** The address of the peer. */
  readonly remoteAddress: string;
}
