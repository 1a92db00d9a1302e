export type PlannedFields = readonly (readonly [string, string])[];

/** Content is read as it comes, or with pauses between, so that back-pressure builds up. */
export type Reading = 'at once' | 'slowly';

/** How a message is written where HTTP/1 leaves a choice (RFC 9112 3.2, 5 and 7.1). */
export interface Spelling {
  readonly absoluteTarget: boolean;
  readonly colon: ': ' | ':' | ':\t  ';
  /** Chunk sizes with leading zeros and upper case, with extensions, or as short as they can be. */
  readonly chunkSize: 'short' | 'padded' | 'extended';
}

export interface PlannedRequest {
  readonly method: string;
  readonly path: string;
  /** End-to-end fields, which have to arrive. */
  readonly fields: PlannedFields;
  /** Fields of the connection, which must not. */
  readonly hopFields: PlannedFields;
  readonly framing: 'none' | 'length' | 'chunked';
  readonly parts: readonly string[];
  readonly trailers: PlannedFields;
  readonly expectsContinue: boolean;
  readonly takesTrailers: boolean;
  readonly spelling: Spelling;
}

export interface PlannedResponse {
  /** When the upstream answers: at the head of the request, or when it is complete. */
  readonly answersAt: 'head' | 'end';
  readonly interim: readonly number[];
  readonly status: number;
  readonly fields: PlannedFields;
  readonly hopFields: PlannedFields;
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly parts: readonly string[];
  readonly trailers: PlannedFields;
  readonly spelling: Spelling;
}

/** Where somebody breaks off, as a fraction of what they would have sent; how, is theirs. */
export interface Break {
  readonly at: number;
  readonly how: 'end' | 'reset';
}

interface PlannedClient {
  readonly http: '1.0' | '1.1' | '2';
  /** It sends its request together with others, before it has any answer. */
  readonly pipelined: boolean;
  /** Over HTTP/2: how much it grants each stream at a time. */
  readonly window: 'narrow' | 'wide';
  readonly reading: Reading;
  /** It leaves while it sends, or while it receives. */
  readonly leaves: (Break & { readonly during: 'request' | 'response' }) | undefined;
}

interface PlannedUpstream {
  /** `2` is HTTP/2 without TLS. */
  readonly http: '1.0' | '1.1' | '2';
  readonly reading: Reading;
  /** It breaks off its response. */
  readonly breaks: Break | undefined;
}

/** One exchange, whole: what the client sends, what the upstream answers, and who breaks off where. */
export interface ExchangePlan {
  readonly kind: 'exchange';
  readonly index: number;
  readonly client: PlannedClient;
  readonly upstream: PlannedUpstream;
  readonly request: PlannedRequest;
  readonly response: PlannedResponse;
  /** In how many pieces bytes are written; each on its own, with a turn of the loop between some. */
  readonly pieces: number;
}
