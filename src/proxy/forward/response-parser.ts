import type { UpstreamHead } from './upstream-head.ts';
import type { ResponseHandler } from './response-handler.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { MalformedResponse } from './malformed-response.ts';
import { refuseBareLineFeed } from './bare-line-feed.ts';
import { parseResponseHead } from './response-head-parser.ts';

export interface ResponseLimits {
  readonly maxHeadBytes: number;
  readonly maxFields: number;
  /** Interim responses to one request. */
  readonly maxInterim: number;
}

type State = 'head' | 'length' | 'chunked' | 'until-close' | 'complete' | 'switched';

const EMPTY = Buffer.alloc(0);
/** As bytes: text would be converted for every search. */
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Reads the response to one request, as strictly as somebody must who passes it on; throws MalformedResponse. */
export class ResponseParser {
  readonly #limits: ResponseLimits;
  readonly #handler: ResponseHandler;
  readonly #method: string;
  readonly #mayUpgrade: boolean;
  #state: State = 'head';
  #pending: Buffer = EMPTY;
  #remaining = 0;
  #interim = 0;
  #chunked: ChunkedDecoder | undefined;
  #head: UpstreamHead | undefined;
  #reusable = true;

  constructor(limits: ResponseLimits, handler: ResponseHandler, method: string, mayUpgrade: boolean) {
    this.#limits = limits;
    this.#handler = handler;
    this.#method = method;
    this.#mayUpgrade = mayUpgrade;
  }

  get complete(): boolean {
    return this.#state === 'complete';
  }

  /** RFC 9112 9.3: the connection can carry another request, for all that this response tells. */
  get reusable(): boolean {
    const head = this.#head;
    return this.complete && this.#reusable && head?.protocolVersion === '1.1' && !head.connection.includes('close');
  }

  get head(): UpstreamHead | undefined {
    return this.#head;
  }

  /** @param bytes the caller's again afterwards; content is handed on as parts of them */
  parse(bytes: Buffer): void {
    let at = 0;
    if (this.#state === 'head') {
      const joined = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
      at = this.#readHeads(joined);
      bytes = joined;
    }
    if (at < bytes.length) this.#readContent(bytes, at);
  }

  /** The content has no other end than that of the connection (RFC 9112 6.3, rule 8). */
  get endsWithConnection(): boolean {
    return this.#state === 'until-close';
  }

  /** The upstream has closed its side, which is the end of content that `endsWithConnection`. */
  finish(): void {
    if (this.#state === 'until-close') this.#complete([]);
  }

  /** Returns where the content begins. */
  #readHeads(bytes: Buffer): number {
    let at = 0;
    while (this.#state === 'head') {
      const end = bytes.indexOf(END_OF_HEAD, at);
      const length = (end === -1 ? bytes.length : end) - at;
      if (length > this.#limits.maxHeadBytes) throw new MalformedResponse('its head is too long');
      if (end === -1) {
        this.#pending = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at));
        refuseBareLineFeed(this.#pending);
        return bytes.length;
      }
      const head = parseResponseHead(bytes, at, end + 2, this.#limits.maxFields);
      at = end + 4;
      this.#readHead(head, bytes, at);
    }
    this.#pending = EMPTY;
    return this.#state === 'switched' ? bytes.length : at;
  }

  #readHead(head: UpstreamHead, bytes: Buffer, at: number): void {
    if (head.status === 101) {
      this.#switch(head, Buffer.from(bytes.subarray(at)));
      return;
    }
    if (head.status < 200) {
      this.#interim += 1;
      if (this.#interim > this.#limits.maxInterim) throw new MalformedResponse('it has too many interim responses');
      this.#handler.onInterim(head);
      return;
    }
    this.#head = head;
    this.#begin(head, bytes.length > at);
  }

  #switch(head: UpstreamHead, rest: Buffer): void {
    if (!this.#mayUpgrade) throw new MalformedResponse('it changes the protocol although nobody asked for that');
    // RFC 6455 4.1: a client has to fail the connection for either; better that it is told.
    if (head.upgrade?.toLowerCase() !== 'websocket' || !head.connection.includes('upgrade')) {
      throw new MalformedResponse('its 101 does not say "Connection: Upgrade" and "Upgrade: websocket"');
    }
    this.#state = 'switched';
    this.#handler.onSwitched(head, rest);
  }

  /** RFC 9112 6.3, in its order. */
  #begin(head: UpstreamHead, moreFollows: boolean): void {
    const { status, contentLength, chunked } = head;
    const hasContent = this.#method !== 'HEAD' && status !== 204 && status !== 304;
    if (!hasContent || contentLength === 0 || isUnframedReset(head)) {
      this.#reusable = !moreFollows && !isInDoubt(head);
      this.#handler.onHead(head, hasContent);
      this.#complete([]);
      return;
    }
    this.#remaining = contentLength ?? 0;
    this.#state = chunked ? 'chunked' : contentLength === undefined ? 'until-close' : 'length';
    if (this.#state === 'until-close') this.#reusable = false;
    if (chunked) {
      const { maxHeadBytes, maxFields } = this.#limits;
      this.#chunked = new ChunkedDecoder({ maxTrailerBytes: maxHeadBytes, maxTrailerFields: maxFields });
    }
    this.#handler.onHead(head, true);
  }

  #readContent(bytes: Buffer, at: number): void {
    if (this.#state === 'length') {
      this.#readLength(bytes, at);
      return;
    }
    if (this.#state === 'chunked' && this.#chunked !== undefined) {
      this.#readChunks(bytes, at, this.#chunked);
      return;
    }
    if (this.#state === 'until-close') {
      this.#handler.onContent(at === 0 ? bytes : bytes.subarray(at));
      return;
    }
    // More than the response: whoever looks at it as a response to the next request would be deceived.
    this.#reusable = false;
  }

  #readLength(bytes: Buffer, at: number): void {
    const end = at + this.#remaining;
    if (end > bytes.length) {
      this.#remaining = end - bytes.length;
      this.#handler.onContent(at === 0 ? bytes : bytes.subarray(at));
      return;
    }
    this.#reusable = end === bytes.length;
    this.#handler.onContent(bytes.subarray(at, end));
    this.#complete([]);
  }

  #readChunks(bytes: Buffer, at: number, decoder: ChunkedDecoder): void {
    const end = decoder.decode(bytes, at, this.#handler);
    if (!decoder.done) return;
    this.#reusable = end === bytes.length;
    this.#complete(decoder.trailers);
  }

  #complete(trailers: readonly string[]): void {
    this.#state = 'complete';
    this.#handler.onComplete(trailers);
  }
}

/** RFC 9110 15.3.6: 205 has no content, and need not say so. */
function isUnframedReset({ status, chunked, contentLength }: UpstreamHead): boolean {
  return status === 205 && !chunked && contentLength === undefined;
}

/** RFC 9110 15.3.5: 204 has no framing. When it shows some, or 205 none, nobody knows whether content follows. */
function isInDoubt(head: UpstreamHead): boolean {
  const isFramed = head.chunked || (head.contentLength ?? 0) > 0;
  return (head.status === 204 && isFramed) || isUnframedReset(head);
}
