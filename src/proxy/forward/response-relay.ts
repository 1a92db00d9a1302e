import type { AfterHead, ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { acceptsTrailers } from './request-fields.ts';
import { nominatedFields } from './hop-by-hop.ts';
import { ownFields, passedFields } from './response-fields.ts';
import type { UpstreamHead } from './upstream-head.ts';
import { trailerFields } from './trailer-fields.ts';
import type { Via } from './via.ts';

/** The response of an upstream on its way to the client. */
export class ResponseRelay {
  readonly #exchange: ClientExchange;
  readonly #extra: RawHeaders;
  readonly #via: Via;
  #status: number | undefined;
  #bytes = 0;
  #hasContent = false;
  /** The fields that the upstream has named in Connection: RFC 9110 7.6.1 means trailers, too. */
  #nominated: ReadonlySet<string> | undefined;

  constructor(exchange: ClientExchange, extra: RawHeaders, via: Via) {
    this.#exchange = exchange;
    this.#extra = extra;
    this.#via = via;
  }

  /** The final status, once its head has been sent. */
  get status(): number | undefined {
    return this.#status;
  }

  get bytes(): number {
    return this.#bytes;
  }

  sendInterim(head: UpstreamHead): void {
    if (this.#exchange.httpVersion === '1.0') return;
    this.#exchange.sendInformation(head.status, passedFields(head).pairs);
  }

  sendHead(head: UpstreamHead, hasContent: boolean): void {
    this.#status = head.status;
    this.#hasContent = hasContent && head.status !== 205;
    this.#nominated = nominatedFields(head.connection);
    // RFC 9112 6.2: what has a length has no trailers, other than in HTTP/2.
    const mayHaveTrailers = head.contentLength === undefined || this.#exchange.httpVersion === '2';
    const announcesTrailers = this.#hasContent && head.chunked && mayHaveTrailers && this.#takesTrailers;
    const own = ownFields(head, this.#exchange, { extra: this.#extra, via: this.#via, announcesTrailers });
    this.#exchange.sendHead(head.status, head.reason, own, this.#afterHead(head), passedFields(head, this.#nominated));
  }

  /** False when the client has to read before more is of use. */
  sendContent(chunk: Buffer): boolean {
    if (!this.#hasContent) return true;
    this.#bytes += chunk.length;
    return this.#exchange.write(chunk);
  }

  /** A head whose content is still to come must not wait for it: it may be the head of an event stream. */
  flush(): void {
    if (this.#status !== undefined) this.#exchange.flush();
  }

  end(trailers: RawHeaders): void {
    this.#exchange.end(trailers.length > 0 && this.#takesTrailers ? trailerFields(trailers, this.#nominated) : []);
  }

  #afterHead({ chunked, contentLength }: UpstreamHead): AfterHead {
    if (!this.#hasContent) return 'nothing';
    if (chunked) return 'content-and-trailers';
    return contentLength === 0 ? 'nothing' : 'content';
  }

  /** RFC 9110 6.5: HTTP/1 clients have to ask for them; in HTTP/2 they are a part of the protocol. */
  get #takesTrailers(): boolean {
    const { httpVersion } = this.#exchange;
    return httpVersion === '2' || (httpVersion === '1.1' && acceptsTrailers(this.#exchange));
  }
}
