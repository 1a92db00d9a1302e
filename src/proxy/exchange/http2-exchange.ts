import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { Readable } from 'node:stream';
import type { AfterHead, ClientExchange, ExchangeWatcher, RawHeaders } from './client-exchange.ts';
import type { FieldList } from './field-list.ts';
import { fieldValue } from './field-values.ts';
import { toHttp2Fields } from './http2-fields.ts';
import type { RequestFacts } from './request-facts.ts';
import { sendCopy } from './send-copy.ts';

/** One HTTP/2 stream, without the compatibility layer of Node. */
export class Http2Exchange implements ClientExchange {
  readonly requestId: string;
  readonly httpVersion = '2';
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly authority: string;
  readonly serverName: string | undefined;
  readonly secure: boolean;
  readonly remoteAddress: string;
  readonly rawHeaders: RawHeaders;
  readonly hasBody: boolean;
  readonly #stream: ServerHttp2Stream;
  #requestTrailers: RawHeaders = [];
  #responseTrailers: RawHeaders = [];
  #ended = false;
  #aborted = false;
  #continued = false;
  #watcher: ExchangeWatcher | undefined;
  #listens = false;

  /**
   * @param rawHeaders the flat list that the `stream` event gives as its last argument, pseudo fields included
   * @param endStream true when the head ended the request (NGHTTP2_FLAG_END_STREAM in the flags of the event)
   */
  constructor(stream: ServerHttp2Stream, rawHeaders: RawHeaders, endStream: boolean, facts: RequestFacts) {
    this.#stream = stream;
    this.requestId = facts.requestId;
    this.method = fieldValue(rawHeaders, ':method') ?? 'GET';
    this.target = facts.target;
    this.host = facts.host;
    this.authority = facts.authority;
    this.serverName = facts.serverName;
    this.secure = facts.secure;
    this.remoteAddress = facts.remoteAddress;
    this.rawHeaders = withoutPseudoFields(rawHeaders);
    this.hasBody = !endStream;
    stream.on('error', ignore);
    if (this.hasBody) {
      stream.once('trailers', (_fields: unknown, _flags: unknown, raw?: string[]) => {
        this.#requestTrailers = raw ?? [];
      });
    }
    // node:http2 puts off the close of a stream that was reset without an error until somebody has read what came before,
    // and until the client has made room for what was sent: nobody may.
    stream.once('aborted', () => process.nextTick(() => stream.destroy()));
  }

  get body(): Readable {
    return this.#stream;
  }

  get abandoned(): boolean {
    return this.#aborted || (!this.#ended && (this.#stream.destroyed || this.#stream.closed));
  }

  /** Streams do not wait for each other. */
  get queued(): boolean {
    return false;
  }

  get headSent(): boolean {
    return this.#stream.headersSent;
  }

  header(name: string): string | undefined {
    return fieldValue(this.rawHeaders, name);
  }

  trailers(): RawHeaders {
    return this.#requestTrailers;
  }

  watch(watcher: ExchangeWatcher | undefined): void {
    this.#watcher = watcher;
    if (!this.#listens) this.#stream.once('close', () => this.#onClose());
    this.#listens = true;
  }

  sendInformation(status: number, headers: RawHeaders): void {
    if (this.headSent || this.#unusable || (status === 100 && this.#continued)) return;
    if (status === 100) this.#continued = true;
    this.#stream.additionalHeaders({ ...toHttp2Fields(headers), ':status': status });
  }

  sendHead(
    status: number,
    _reason: string,
    headers: RawHeaders,
    follows: AfterHead = 'content',
    passed?: FieldList,
  ): void {
    if (this.#unusable) return;
    const fields: OutgoingHttpHeaders = toHttp2Fields(passed ? [...passed.pairs, ...headers] : headers);
    fields[':status'] = status;
    // A gRPC client tells a head that ends the stream from one that is followed by nothing.
    const endStream = follows === 'nothing';
    const waitForTrailers = follows === 'content-and-trailers';
    if (waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers());
    // node:http2 ends what answers HEAD before anybody has answered.
    else if (this.#stream.writableFinished) this.#stopUploadSoon();
    else this.#stream.once('finish', () => this.#stopUploadSoon());
    this.#stream.respond(fields, { endStream, waitForTrailers });
  }

  write(chunk: Uint8Array): boolean {
    return this.#unusable || sendCopy(this.#stream, chunk);
  }

  flush(): void {
    // Head and content of an HTTP/2 response are on their way already.
  }

  onDrain(listener: () => void): void {
    this.#stream.on('drain', listener);
  }

  end(trailers: RawHeaders = []): void {
    this.#ended = true;
    if (this.#unusable) return;
    this.#responseTrailers = trailers;
    this.#stream.end();
  }

  abort(): void {
    this.#aborted = true;
    // `close` would end the content first, which a quick client could take for the end of the answer.
    this.#stream.destroy(new Error('The answer was cut short.'));
  }

  respond(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const fields = [...headers, 'x-request-id', this.requestId];
    if (status !== 204 && status !== 304) fields.push('content-length', String(content.length));
    this.sendHead(status, '', fields, content.length === 0 ? 'nothing' : 'content');
    if (this.method !== 'HEAD' && content.length > 0) this.write(content);
    this.end();
  }

  get #unusable(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  /** An event of node:http2 brings us here: what is thrown now would end the process, with everybody's requests. */
  #sendTrailers(): void {
    if (this.#unusable) return;
    try {
      this.#stream.sendTrailers(toHttp2Fields(this.#responseTrailers));
      this.#stopUploadSoon();
    } catch {
      this.abort();
    }
  }

  #onClose(): void {
    if (!this.#ended && !this.#aborted) this.#watcher?.onAbandoned();
  }

  /** Not in one packet with the end of the answer: clients of node:http2 forget a head or trailers that a reset follows too closely. */
  #stopUploadSoon(): void {
    setImmediate(() => this.#stopUpload());
  }

  /** RFC 9113 8.1: a client that still sends is told to stop, after the whole answer, without an error. */
  #stopUpload(): void {
    if (this.hasBody && !this.#stream.readableEnded && !this.#unusable) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

function withoutPseudoFields(rawHeaders: RawHeaders): RawHeaders {
  let first = 0;
  // RFC 9113 8.3: pseudo fields stand before all others.
  while (first < rawHeaders.length && rawHeaders[first]?.startsWith(':') === true) first += 2;
  return rawHeaders.slice(first);
}

function ignore(): void {
  // The close that follows is what matters.
}
