import type { FieldList } from '../exchange/field-list.ts';

/** The head of a response of an upstream. */
export interface UpstreamHead {
  /** As Via has it. */
  readonly protocolVersion: '1.0' | '1.1' | '2.0';
  readonly status: number;
  readonly reason: string;
  /** Those that may be passed on; what follows is read from the others. */
  readonly fields: FieldList;
  /** RFC 9112 6: at most one of the two says how long the content is. */
  readonly contentLength: number | undefined;
  /** The end of the content shows by itself, and trailers may stand there: the chunked coding, or HTTP/2. */
  readonly chunked: boolean;
  /** The options of Connection, lower case. */
  readonly connection: readonly string[];
  /** Seconds, from Keep-Alive: timeout=n. */
  readonly keepAliveSeconds: number | undefined;
  /** The names of the trailer fields that are to be expected. */
  readonly trailer: string | undefined;
  /** What Upgrade says. */
  readonly upgrade: string | undefined;
}
