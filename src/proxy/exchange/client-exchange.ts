import type { Readable } from 'node:stream';
import type { FieldList } from './field-list.ts';
import type { RequestFacts } from './request-facts.ts';

/** HTTP/2 says already in the head that nothing follows, and that trailers may has to be known before the last content. */
export type AfterHead = 'nothing' | 'content' | 'content-and-trailers';

/** Names and values in turn, as they go over the wire: `['content-type', 'text/plain', 'set-cookie', 'a', 'set-cookie', 'b']`. */
export type RawHeaders = readonly string[];

export interface ExchangeWatcher {
  /** The client has left before the answer was complete. */
  onAbandoned(): void;
}

/**
 * One request of a client and the means to answer it; the same over HTTP/1.0, HTTP/1.1 and HTTP/2.
 * It has passed the rules of request-rules.ts: exactly one valid host, framing without doubt.
 */
export interface ClientExchange extends RequestFacts {
  readonly httpVersion: '1.0' | '1.1' | '2';
  readonly method: string;
  /** Header fields as received, without pseudo fields, names as the client wrote them. */
  readonly rawHeaders: RawHeaders;
  /** The value of a field (several joined by ', '), by lower-case name. */
  header(name: string): string | undefined;
  /** False when the framing says that there is no content. */
  readonly hasBody: boolean;
  /** Not read before somebody reads it: until then the client is held by flow control. Without content nothing is told of it. */
  readonly body: Readable;
  /** Trailer fields, once `body` has ended. */
  trailers(): RawHeaders;

  /** True once the client has gone or the answer has been aborted. */
  readonly abandoned: boolean;
  /** Tells (once) when the client leaves before the answer is complete: one watcher at a time, undefined for none. */
  watch(watcher: ExchangeWatcher | undefined): void;

  /** Its answer waits for others of a pipeline (RFC 9112 9.3.2): the client can neither take it nor, at times, send more. */
  readonly queued: boolean;
  /** True once a final response head has been sent. */
  readonly headSent: boolean;
  /** Sends an interim response (1xx); silently nothing for HTTP/1.0. 100 tells a waiting client to send its body. */
  sendInformation(status: number, headers: RawHeaders): void;
  /**
   * Sends the final head; when nothing follows (204, 304, HEAD, no content), `end` comes next. `reason` is ignored by HTTP/2.
   * @param headers checked already: names are tokens, values have neither control characters nor any above 0xff (RFC 9110 5.5)
   * @param follows what the head is followed by; content unless given
   * @param passed checked likewise; these come ahead of `headers`, and none of them frames the content
   */
  sendHead(status: number, reason: string, headers: RawHeaders, follows?: AfterHead, passed?: FieldList): void;
  /**
   * Sends content, which belongs to the caller again afterwards; false means: wait for `onDrain`. A little of it may stay
   * with its head until `flush` or `end`.
   */
  write(chunk: Uint8Array): boolean;
  /** Sends what is there, and the head also without content: nothing may follow for hours. */
  flush(): void;
  onDrain(listener: () => void): void;
  /** A clean end, with trailers when the protocol and the client allow them. */
  end(trailers?: RawHeaders): void;
  /** A visible end: the socket is destroyed, the stream reset; never mistaken for a complete answer. */
  abort(): void;
  /** A whole answer made here; adds `X-Request-Id`, content-length; leaves out the body for HEAD. */
  respond(status: number, headers: RawHeaders, body: string | Uint8Array): void;
}
