import type { ResponseHandler } from './response-handler.ts';
import { refuseBareLineFeed } from './bare-line-feed.ts';
import { MalformedResponse } from './malformed-response.ts';
import { parseFields } from './response-head-parser.ts';

/** Whoever is given the content. */
type ContentReader = Pick<ResponseHandler, 'onContent'>;

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done';

export interface ChunkedLimits {
  readonly maxTrailerBytes: number;
  readonly maxTrailerFields: number;
}

const MAX_SIZE_DIGITS = 13;
const MAX_EXTENSION_BYTES = 256;
const LF = 10;
const CR = 13;
const SEMICOLON = 59;
const EMPTY = Buffer.alloc(0);

/** Takes the chunked coding (RFC 9112 7.1) off, strictly: any doubt about a border throws MalformedResponse. */
export class ChunkedDecoder {
  readonly #limits: ChunkedLimits;
  #state: State = 'size';
  #digits = 0;
  #remaining = 0;
  #extensionBytes = 0;
  #tail: Buffer = EMPTY;
  #trailers: readonly string[] = [];

  constructor(limits: ChunkedLimits) {
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  get trailers(): readonly string[] {
    return this.#trailers;
  }

  /** Reads from `offset` until the bytes or the content end; content is handed to `reader`. Returns where it stopped. */
  decode(bytes: Buffer, offset: number, reader: ContentReader): number {
    let at = offset;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') at = this.#data(bytes, at, reader);
      else if (this.#state === 'trailers') at = this.#readTrailers(bytes, at);
      else {
        this.#control(bytes[at] ?? 0);
        at += 1;
      }
    }
    return at;
  }

  #data(bytes: Buffer, at: number, reader: ContentReader): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#remaining -= end - at;
    if (this.#remaining === 0) this.#state = 'data-cr';
    reader.onContent(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  #control(byte: number): void {
    switch (this.#state) {
      case 'size': {
        this.#size(byte);
        return;
      }
      case 'extension': {
        this.#extension(byte);
        return;
      }
      case 'size-lf': {
        this.#sizeEnd(byte);
        return;
      }
      case 'data-cr':
        if (byte !== CR) throw new MalformedResponse('a chunk is longer than its size says');
        this.#state = 'data-lf';
        return;
      default:
        if (byte !== LF) throw new MalformedResponse('a chunk does not end with CR LF');
        this.#state = 'size';
    }
  }

  #size(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits += 1;
      this.#remaining = this.#remaining * 16 + digit;
      if (this.#digits > MAX_SIZE_DIGITS) throw new MalformedResponse('a chunk size has too many digits');
      return;
    }
    if (this.#digits === 0) throw new MalformedResponse('a chunk size is not a hexadecimal number');
    if (byte === CR) this.#state = 'size-lf';
    else if (byte === SEMICOLON) this.#state = 'extension';
    else throw new MalformedResponse('a chunk size is not a hexadecimal number');
  }

  /** RFC 9112 7.1.1: ignored, but neither without end nor with anything that could be another line. */
  #extension(byte: number): void {
    if (byte === CR) {
      this.#state = 'size-lf';
      return;
    }
    this.#extensionBytes += 1;
    const isText = byte === 9 || (byte >= 32 && byte !== 127);
    if (!isText || this.#extensionBytes > MAX_EXTENSION_BYTES)
      throw new MalformedResponse('a chunk extension is not acceptable');
  }

  #sizeEnd(byte: number): void {
    if (byte !== LF) throw new MalformedResponse('a chunk size does not end with CR LF');
    this.#state = this.#remaining === 0 ? 'trailers' : 'data';
    this.#digits = 0;
    this.#extensionBytes = 0;
  }

  #readTrailers(bytes: Buffer, at: number): number {
    const before = this.#tail.length;
    if (before === 0 && bytes[at] === CR && bytes[at + 1] === LF) {
      this.#state = 'done';
      return at + 2;
    }
    const tail = before === 0 && at === 0 ? bytes : Buffer.concat([this.#tail, bytes.subarray(at)]);
    const start = tail.subarray(0, 2).toString('latin1');
    const end = start === '\r\n' ? 0 : tail.indexOf('\r\n\r\n');
    if (end > this.#limits.maxTrailerBytes || (end === -1 && tail.length > this.#limits.maxTrailerBytes)) {
      throw new MalformedResponse('its trailers are too long');
    }
    if (end === -1) {
      refuseBareLineFeed(tail);
      if (tail[0] === CR && tail.length > 1) throw new MalformedResponse('a trailer begins with a control character');
      // A copy: the buffer of a read must not be kept alive by its last bytes.
      this.#tail = Buffer.from(tail);
      return bytes.length;
    }
    if (end > 0) this.#trailers = parseFields(tail, 0, end + 2, this.#limits.maxTrailerFields).pairs;
    this.#state = 'done';
    return at + (end === 0 ? 2 : end + 4) - before;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
