import { OPCODE, WebSocketProtocolError } from './frames.js';

/** Joins fragments into messages (RFC 6455, section 5.4). */
export class MessageAssembler {
  #maxBytes;
  /** @type {Buffer[]} */
  #fragments = [];
  #size = 0;
  /** The opcode of the message under way; 0 when there is none. */
  #opcode = 0;

  /** @param {number} maxBytes */
  constructor(maxBytes) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @param {import('./frames.js').Frame} frame  a data frame
   * @returns {string | Buffer | undefined} the message that it completes
   * @throws {WebSocketProtocolError}
   */
  add({ fin, opcode, payload }) {
    const continues = opcode === OPCODE.CONTINUATION;
    if (continues !== (this.#opcode !== 0)) {
      throw new WebSocketProtocolError(
        1002,
        continues ? 'There is nothing to continue.' : 'A message is still under way.',
      );
    }
    if (!continues) this.#opcode = opcode;
    this.#size += payload.length;
    if (this.#size > this.#maxBytes) throw new WebSocketProtocolError(1009, 'The message is too long.');
    // Empty fragments are not kept: any number of them would fit into the limit.
    if (payload.length > 0) this.#fragments.push(payload);
    return fin ? this.#finish() : undefined;
  }

  #finish() {
    const bytes =
      this.#fragments.length === 1 ? /** @type {Buffer} */ (this.#fragments[0]) : Buffer.concat(this.#fragments);
    const text = this.#opcode === OPCODE.TEXT;
    this.#fragments = [];
    this.#size = 0;
    this.#opcode = 0;
    return text ? decodeText(bytes) : bytes;
  }
}

/**
 * @param {Buffer} bytes
 * @returns {string}
 * @throws {WebSocketProtocolError} 1007 for what is not UTF-8
 */
export function decodeText(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WebSocketProtocolError(1007, 'The text is not UTF-8.');
  }
}
