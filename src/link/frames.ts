import { CodedError } from '../lib/coded-error.ts';

const HEAD_BYTES = 4;

/** One message on the wire: the length of its JSON in bytes (32 bits, big endian), then the JSON. */
export function encodeFrame(message: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(json.length);
  return Buffer.concat([head, json]);
}

/** Puts frames together again from the pieces in which they arrive. */
export class FrameReader {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #length = 0;

  /** @param maxBytes of one message: what is announced as longer is refused before it is read */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @returns the messages that are complete now
   * @throws CodedError `frame_invalid`: nothing that follows can be understood
   */
  push(piece: Buffer): unknown[] {
    this.#pieces.push(piece);
    this.#length += piece.length;
    const messages: unknown[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) messages.push(parse(frame));
    return messages;
  }

  #next(): Buffer | undefined {
    if (this.#length < HEAD_BYTES) return undefined;
    const length = this.#join(HEAD_BYTES).readUInt32BE();
    if (length > this.#maxBytes) {
      throw new CodedError('frame_invalid', `a message of ${length} bytes; at most ${this.#maxBytes} are allowed`);
    }
    const end = HEAD_BYTES + length;
    if (this.#length < end) return undefined;
    const all = this.#join(end);
    this.#pieces = all.length > end ? [all.subarray(end)] : [];
    this.#length -= end;
    return all.subarray(HEAD_BYTES, end);
  }

  /** The first piece, made to hold so many bytes. A large message is put together once, not with every piece of it. */
  #join(bytes: number): Buffer {
    const [first] = this.#pieces;
    if (first && first.length >= bytes) return first;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }
}

function parse(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString('utf8')) as unknown;
  } catch (error) {
    throw new CodedError('frame_invalid', 'a message that is not JSON', { cause: error });
  }
}
