import { Readable } from 'node:stream';
import type { ClientExchange, ExchangeWatcher, RawHeaders } from '../../../src/proxy/exchange/client-exchange.ts';

export interface RecordedRequest {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly httpVersion?: '1.0' | '1.1' | '2';
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client exchange without a client: keeps what was sent, and lets a test be the slow or vanishing client. */
export class RecordedExchange implements ClientExchange {
  readonly requestId = 'req-1';
  readonly httpVersion: '1.0' | '1.1' | '2';
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly authority: string;
  readonly serverName = undefined;
  readonly secure = true;
  readonly remoteAddress = '192.0.2.1';
  readonly rawHeaders: RawHeaders;
  readonly hasBody = false;
  readonly body = Readable.from([]);
  readonly sent = { status: 0, headers: {} as Record<string, string>, body: '', ended: false, aborted: false };
  readonly queued = false;
  abandoned = false;
  /** While true, `write` says that the client cannot take more. */
  full = false;
  readonly #headers: Readonly<Record<string, string>>;
  #watcher: ExchangeWatcher | undefined;
  readonly #drainers = new Set<() => void>();

  constructor({
    method = 'GET',
    target = '/',
    host = 'app.test',
    httpVersion = '1.1',
    headers = {},
  }: RecordedRequest = {}) {
    this.method = method;
    this.target = target;
    this.host = host;
    this.authority = host;
    this.httpVersion = httpVersion;
    this.#headers = headers;
    this.rawHeaders = Object.entries(headers).flat();
  }

  get headSent(): boolean {
    return this.sent.status !== 0;
  }

  header(name: string): string | undefined {
    return this.#headers[name];
  }

  trailers(): RawHeaders {
    return [];
  }

  watch(watcher: ExchangeWatcher | undefined): void {
    this.#watcher = watcher;
  }

  sendInformation(): void {
    throw new Error('No interim response was expected.');
  }

  sendHead(status: number, _reason: string, headers: RawHeaders): void {
    if (this.headSent) throw new Error('A second head was sent.');
    this.sent.status = status;
    for (let at = 0; at + 1 < headers.length; at += 2) this.sent.headers[headers[at]!.toLowerCase()] = headers[at + 1]!;
  }

  write(chunk: Uint8Array): boolean {
    this.sent.body += Buffer.from(chunk).toString();
    return !this.full;
  }

  flush(): void {
    // Nothing is held back.
  }

  onDrain(listener: () => void): void {
    this.#drainers.add(listener);
  }

  end(): void {
    this.sent.ended = true;
  }

  abort(): void {
    this.sent.aborted = true;
    this.abandoned = true;
  }

  respond(status: number, headers: RawHeaders, body: string | Uint8Array): void {
    this.sendHead(status, '', [...headers, 'x-request-id', this.requestId]);
    this.write(Buffer.from(body));
    this.end();
  }

  /** The client goes away. */
  leave(): void {
    this.abandoned = true;
    this.#watcher?.onAbandoned();
  }

  /** The client has read everything. */
  drain(): void {
    this.full = false;
    for (const listener of this.#drainers) listener();
  }
}
