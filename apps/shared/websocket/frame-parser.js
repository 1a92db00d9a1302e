import { applyMask, WebSocketProtocolError } from './frames.js';

/** @typedef {import('./frames.js').Frame} Frame */

/**
 * @typedef {object} Head
 * @property {boolean} fin
 * @property {number} opcode
 * @property {boolean} masked
 * @property {number} length   of the payload, in bytes
 */

/** Cuts a stream of bytes into frames. What breaks RFC 6455 throws, after which the connection must be failed. */
export class FrameParser {
  #maxPayloadBytes;
  #expectMask;
  /** @type {Buffer[]} */
  #chunks = [];
  #buffered = 0;
  /** @type {Head | undefined} */
  #head;

  /** @param {{ maxPayloadBytes: number, expectMask: boolean }} options */
  constructor({ maxPayloadBytes, expectMask }) {
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#expectMask = expectMask;
  }

  /**
   * @param {Buffer} chunk
   * @returns {Generator<Frame, void, undefined>}
   * @throws {WebSocketProtocolError}
   */
  *push(chunk) {
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    for (;;) {
      this.#head ??= this.#readHead();
      if (!this.#head) return;
      const { fin, opcode, masked, length } = this.#head;
      if (this.#buffered < length + (masked ? 4 : 0)) return;
      const mask = masked ? this.#take(4) : undefined;
      const payload = this.#take(length);
      this.#head = undefined;
      yield { fin, opcode, payload: mask ? applyMask(payload, mask) : payload };
    }
  }

  /** @returns {Head | undefined} undefined until enough has come */
  #readHead() {
    if (this.#buffered < 2) return undefined;
    const start = this.#peek(Math.min(10, this.#buffered));
    const first = start.readUInt8(0);
    const second = start.readUInt8(1);
    const opcode = first & 0x0f;
    const short = second & 0x7f;
    const fin = (first & 0x80) !== 0;
    if (first & 0x70) throw new WebSocketProtocolError(1002, 'A reserved bit is set.');
    if (![0, 1, 2, 8, 9, 10].includes(opcode)) throw new WebSocketProtocolError(1002, `Opcode ${opcode} is unknown.`);
    if (opcode >= 8 && (!fin || short > 125))
      throw new WebSocketProtocolError(1002, 'A control frame must be short and whole.');
    const masked = (second & 0x80) !== 0;
    if (masked !== this.#expectMask) {
      throw new WebSocketProtocolError(1002, this.#expectMask ? 'A client must mask.' : 'A server must not mask.');
    }
    const size = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (this.#buffered < size) return undefined;
    const length = readLength(start, short);
    // Refused by its announced length, before a byte of it is kept.
    if (length > this.#maxPayloadBytes) throw new WebSocketProtocolError(1009, 'The message is too long.');
    this.#take(size);
    return { fin, opcode, masked, length };
  }

  /** @param {number} count */
  #peek(count) {
    const first = this.#chunks[0];
    if (first && first.length >= count) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return /** @type {Buffer} */ (this.#chunks[0]);
  }

  /** @param {number} count */
  #take(count) {
    if (count === 0) return Buffer.alloc(0);
    const whole = this.#peek(count);
    this.#buffered -= count;
    if (whole.length === count) this.#chunks.shift();
    else this.#chunks[0] = whole.subarray(count);
    return whole.subarray(0, count);
  }
}

/**
 * Section 5.2: the shortest form must be used, and the highest bit of the long one is 0.
 *
 * @param {Buffer} start
 * @param {number} short
 */
function readLength(start, short) {
  if (short < 126) return short;
  const length = short === 126 ? start.readUInt16BE(2) : Number(start.readBigUInt64BE(2));
  if (length < (short === 126 ? 126 : 65_536) || length >= 2 ** 63) {
    throw new WebSocketProtocolError(1002, 'The length is not in its shortest form.');
  }
  return length;
}
