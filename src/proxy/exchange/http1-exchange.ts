import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { writeCheckedHead } from './checked-head.ts';
import type { AfterHead, ClientExchange, ExchangeWatcher, RawHeaders } from './client-exchange.ts';
import type { FieldList } from './field-list.ts';
import { fieldValue } from './field-values.ts';
import { lingerOnClose } from '../listen/lingering-close.ts';
import type { RequestFacts } from './request-facts.ts';
import { sendCopy } from './send-copy.ts';

/** Above this the copy costs more than the write that it saves. */
const MAX_HELD_BYTES = 8_192;

/** One HTTP/1 request on top of node:http, which keeps the order of pipelined answers and the connection alive. */
export class Http1Exchange implements ClientExchange {
  readonly requestId: string;
  readonly httpVersion: '1.0' | '1.1';
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly authority: string;
  readonly serverName: string | undefined;
  readonly secure: boolean;
  readonly remoteAddress: string;
  readonly rawHeaders: RawHeaders;
  readonly hasBody: boolean;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #ended = false;
  #aborted = false;
  #continued = false;
  #headWaits = false;
  #held: string | undefined;
  #watcher: ExchangeWatcher | undefined;
  #listens = false;
  /** The connection of a pipeline in which the answer waits behind others. */
  #queuedOn: Socket | undefined;
  readonly #onClose = (): void => {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    if (!this.#ended && !this.#aborted) watcher?.onAbandoned();
  };

  constructor(request: IncomingMessage, response: ServerResponse, facts: RequestFacts) {
    this.#request = request;
    this.#response = response;
    this.requestId = facts.requestId;
    this.httpVersion = request.httpVersionMinor === 0 ? '1.0' : '1.1';
    this.method = request.method ?? 'GET';
    this.target = facts.target;
    this.host = facts.host;
    this.authority = facts.authority;
    this.serverName = facts.serverName;
    this.secure = facts.secure;
    this.remoteAddress = facts.remoteAddress;
    this.rawHeaders = request.rawHeaders;
    this.hasBody = framesContent(request.rawHeaders);
    response.on('error', ignore);
    // A client that leaves in the middle of its body shows as an error of the request; the close of the response tells it.
    if (this.hasBody) request.on('error', ignore);
  }

  get body(): Readable {
    return this.#request;
  }

  get abandoned(): boolean {
    return this.#aborted || (!this.#ended && this.#gone);
  }

  get queued(): boolean {
    return !this.#ended && this.#response.socket === null;
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  header(name: string): string | undefined {
    return fieldValue(this.rawHeaders, name);
  }

  trailers(): RawHeaders {
    return this.#request.rawTrailers;
  }

  watch(watcher: ExchangeWatcher | undefined): void {
    this.#watcher = watcher;
    if (watcher === undefined) {
      this.#queuedOn?.off('close', this.#onClose);
      return;
    }
    // Left where it is afterwards: taking it off costs every request more than a call that does nothing.
    if (!this.#listens) this.#response.on('close', this.#onClose);
    this.#listens = true;
    // An answer that waits behind another one of a pipeline is not told when their connection closes.
    if (this.#response.socket !== null) return;
    this.#queuedOn = this.#request.socket;
    this.#queuedOn.on('close', this.#onClose);
  }

  sendInformation(status: number, headers: RawHeaders): void {
    if (this.httpVersion === '1.0' || this.headSent) return;
    if (status === 100) {
      if (!this.#continued) this.#response.writeContinue();
      this.#continued = true;
      return;
    }
    // Undefined while an earlier answer of a pipeline is still under way: a hint must not overtake it.
    const { socket } = this.#response;
    if (socket?.writable === true) socket.write(interimHead(status, headers), 'latin1');
  }

  sendHead(status: number, reason: string, headers: RawHeaders, _follows?: AfterHead, passed?: FieldList): void {
    const closes = this.hasBody && !this.#request.complete;
    const fields = closes ? [...headers, 'Connection', 'close'] : headers;
    if (closes) lingerOnClose(this.#request.socket);
    writeCheckedHead(this.#response, status, reason, fields, passed);
    this.#headWaits = true;
  }

  /**
   * Small content that comes right behind its head is held as text, because node:http sends head and text in one piece,
   * and a whole small answer in a single write.
   */
  write(chunk: Uint8Array): boolean {
    if (this.#headWaits && this.#held === undefined && chunk.length <= MAX_HELD_BYTES && Buffer.isBuffer(chunk)) {
      this.#held = chunk.toString('latin1');
      return true;
    }
    // Only then: an empty text ahead of every chunk would have to be gathered with it.
    if (this.#held !== undefined || this.#continuedInQueue) this.flush();
    this.#headWaits = false;
    return sendCopy(this.#response, chunk);
  }

  flush(): void {
    if (!this.#headWaits) return;
    this.#headWaits = false;
    // `flushHeaders` would send the head as UTF-8, and so change the bytes above ASCII of its values (RFC 9110 5.5).
    this.#response.write(this.#held ?? '', 'latin1');
    this.#held = undefined;
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener);
  }

  end(trailers?: RawHeaders): void {
    this.#ended = true;
    if (trailers !== undefined && trailers.length > 0 && this.#response.chunkedEncoding) {
      this.#response.addTrailers(pairs(trailers));
    }
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.#response.end();
    else if (this.#response.chunkedEncoding) this.#response.end(held, 'latin1');
    else this.#sendWhole(held);
  }

  /**
   * The end is told to node:http when all has left: `end(held)` would write an empty piece behind it, and gathering the
   * two costs more than sending them. Corked, because `write` alone waits for the next tick.
   */
  #sendWhole(content: string): void {
    const response = this.#response;
    response.cork();
    response.write(content, 'latin1', (error) => {
      if (error == null) response.end();
    });
    response.uncork();
  }

  /** A reset where that is possible: without a length and chunks a plain close would look like the end of the content. */
  abort(): void {
    this.#aborted = true;
    this.#held = undefined;
    const { socket } = this.#request;
    // Those in front are sound: the connection ends when it would be the turn of this one.
    if (this.queued) this.#response.once('socket', () => socket.destroySoon());
    else if (socket instanceof TLSSocket || !(socket instanceof Socket)) socket.destroy();
    else socket.resetAndDestroy();
  }

  respond(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const fields = [...headers, 'X-Request-Id', this.requestId];
    if (status !== 204 && status !== 304) fields.push('Content-Length', String(content.length));
    this.sendHead(status, STATUS_CODES[status] ?? '', fields);
    if (this.method !== 'HEAD' && content.length > 0) this.write(content);
    this.end();
  }

  /** node:http puts a head ahead of all that waits when bytes come right behind it; ahead of text it stays where it is. */
  get #continuedInQueue(): boolean {
    return this.#continued && this.queued;
  }

  get #gone(): boolean {
    return this.#response.destroyed || this.#request.socket.destroyed;
  }
}

/** RFC 9112 6.3: a request has content when it says how much, and only then. */
function framesContent(rawHeaders: RawHeaders): boolean {
  if (fieldValue(rawHeaders, 'transfer-encoding') !== undefined) return true;
  const length = fieldValue(rawHeaders, 'content-length');
  return length !== undefined && Number(length) > 0;
}

function interimHead(status: number, headers: RawHeaders): string {
  let head = `HTTP/1.1 ${status} ${status === 103 ? 'Early Hints' : 'Information'}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at] ?? ''}: ${headers[at + 1] ?? ''}\r\n`;
  return `${head}\r\n`;
}

function pairs(flat: RawHeaders): [string, string][] {
  const list: [string, string][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) list.push([flat[at] ?? '', flat[at + 1] ?? '']);
  return list;
}

function ignore(): void {
  // The close that follows is what matters.
}
