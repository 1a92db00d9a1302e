/** A request or a response as a strict reader sees it. Text is latin1. */
export interface Http1Message {
  readonly startLine: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  content: string;
  trailers: readonly (readonly [string, string])[];
  complete: boolean;
}

export interface Http1ReaderOptions {
  /** True for a response to HEAD, a 204 and the like; never asked for interim responses. */
  readonly bodyless?: (startLine: string) => boolean;
  readonly kind: 'request' | 'response';
  readonly onHead?: (message: Http1Message) => void;
  readonly onChange?: () => void;
}

type Phase = 'head' | 'length' | 'size' | 'chunk' | 'trailers' | 'close' | 'refused';

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*$/;
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.[01] [1-5][0-9][0-9]( [\t\x20-\x7e\x80-\xff]*)?$/;

/** Reads HTTP/1 to the letter (RFC 9112): what it does not understand without any doubt is a fault. */
export class Http1Reader {
  readonly messages: Http1Message[] = [];
  /** Why nothing that follows can be understood. */
  fault: string | undefined;
  readonly #options: Http1ReaderOptions;
  #pending = '';
  #phase: Phase = 'head';
  #remaining = 0;

  constructor(options: Http1ReaderOptions) {
    this.#options = options;
  }

  /** The interim responses are left out. */
  get final(): Http1Message[] {
    return this.messages.filter(({ startLine }) => !/^HTTP\/1\.1 1(?!01)/.test(startLine));
  }

  /** Neither a message nor a piece of one is open. */
  get atBorder(): boolean {
    return this.#phase === 'head' && this.#pending === '';
  }

  push(text: string): void {
    this.#pending += text;
    while (this.fault === undefined && this.#step());
    this.#options.onChange?.();
  }

  /** The sender has closed: the end of content that has no other. */
  end(): void {
    if (this.#phase === 'close') this.#complete();
    this.#options.onChange?.();
  }

  #step(): boolean {
    switch (this.#phase) {
      case 'head':
        return this.#readHead();
      case 'size':
        return this.#readSize();
      case 'trailers':
        return this.#readTrailers();
      case 'refused':
        return false;
      default:
        return this.#readContent();
    }
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const [startLine = '', ...lines] = this.#pending.slice(0, end).split('\r\n');
    const fields = this.#fields(lines);
    const isValid = (this.#options.kind === 'request' ? REQUEST_LINE : STATUS_LINE).test(startLine);
    if (!isValid) return this.#refuse(`start line ${JSON.stringify(startLine)}`);
    if (fields === undefined) return false;
    const framing = this.#framing(startLine, fields);
    if (framing === undefined) return false;
    this.#pending = this.#pending.slice(end + 4);
    const message: Http1Message = { startLine, fields, framing, content: '', trailers: [], complete: false };
    this.messages.push(message);
    if (framing === 'none') message.complete = true;
    else this.#phase = framing === 'chunked' ? 'size' : framing;
    this.#options.onHead?.(message);
    return true;
  }

  #fields(lines: readonly string[]): [string, string][] | undefined {
    const fields: [string, string][] = [];
    for (const line of lines) {
      const [, name, value] = FIELD.exec(line) ?? [];
      if (name === undefined || value === undefined) return void this.#refuse(`field line ${JSON.stringify(line)}`);
      fields.push([name, value]);
    }
    return fields;
  }

  #framing(startLine: string, fields: readonly [string, string][]): Http1Message['framing'] | undefined {
    const codings = valuesOf({ fields }, 'transfer-encoding');
    const lengths = valuesOf({ fields }, 'content-length');
    const fault = framingFault(codings, lengths);
    if (fault !== undefined) return void this.#refuse(fault);
    const isResponse = this.#options.kind === 'response';
    if (isResponse && (/^HTTP\/1\.1 (1|204|304)/.test(startLine) || this.#bodyless(startLine))) return 'none';
    if (codings.length > 0) return 'chunked';
    this.#remaining = Number(lengths[0] ?? 0);
    if (lengths.length === 0 && isResponse) return 'close';
    return this.#remaining === 0 ? 'none' : 'length';
  }

  #bodyless(startLine: string): boolean {
    return this.#options.bodyless?.(startLine) ?? false;
  }

  #readContent(): boolean {
    const message = this.messages.at(-1);
    if (message === undefined || this.#pending === '') return false;
    const take = this.#phase === 'close' ? this.#pending.length : Math.min(this.#remaining, this.#pending.length);
    message.content += this.#pending.slice(0, take);
    this.#pending = this.#pending.slice(take);
    if (this.#phase === 'close') return false;
    this.#remaining -= take;
    if (this.#remaining > 0) return false;
    if (this.#phase === 'length') this.#complete();
    else return this.#endChunk();
    return true;
  }

  #endChunk(): boolean {
    this.#phase = 'chunk';
    if (this.#pending.length < 2) return false;
    if (!this.#pending.startsWith('\r\n')) return this.#refuse('a chunk without its end');
    this.#pending = this.#pending.slice(2);
    this.#phase = 'size';
    return true;
  }

  #readSize(): boolean {
    const end = this.#pending.indexOf('\r\n');
    if (end === -1) return false;
    const [, size] = /^([0-9a-fA-F]{1,12})(;[^\r\n]*)?$/.exec(this.#pending.slice(0, end)) ?? [];
    if (size === undefined) return this.#refuse(`chunk size ${JSON.stringify(this.#pending.slice(0, end))}`);
    this.#pending = this.#pending.slice(end + 2);
    this.#remaining = Number.parseInt(size, 16);
    this.#phase = this.#remaining === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #readTrailers(): boolean {
    const end = this.#pending.startsWith('\r\n') ? 0 : this.#pending.indexOf('\r\n\r\n') + 2;
    if (end === 1) return false;
    const lines = this.#pending.slice(0, end).split('\r\n').slice(0, -1);
    const trailers = this.#fields(lines);
    const message = this.messages.at(-1);
    if (trailers === undefined || message === undefined) return false;
    message.trailers = trailers;
    this.#pending = this.#pending.slice(end + 2);
    this.#complete();
    return true;
  }

  #complete(): void {
    const message = this.messages.at(-1);
    if (message !== undefined) message.complete = true;
    this.#phase = 'head';
  }

  #refuse(fault: string): false {
    this.fault = fault;
    this.#phase = 'refused';
    return false;
  }
}

function framingFault(
  [coding, ...codings]: readonly string[],
  [length, ...lengths]: readonly string[],
): string | undefined {
  if (codings.length + lengths.length > 0 || (coding !== undefined && length !== undefined)) {
    return 'several of Content-Length, Transfer-Encoding';
  }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'unknown coding';
  return length === undefined || /^[0-9]+$/.test(length) ? undefined : 'Content-Length no number';
}

/** The values of a field, in their order. */
export function valuesOf({ fields }: Pick<Http1Message, 'fields'>, name: string): string[] {
  return fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
}

export function statusOf({ startLine }: Http1Message): number {
  return Number(startLine.slice(9, 12));
}
