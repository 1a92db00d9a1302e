/** The frames of RFC 6455, section 5: bytes in, frames out, and back. Pure; no socket. */

export const OPCODE = Object.freeze({ CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 });

/**
 * @typedef {object} Frame
 * @property {boolean} fin
 * @property {number} opcode
 * @property {Buffer} payload   unmasked
 */

/** A breach of the protocol, with the close code that answers it (section 7.4.1). */
export class WebSocketProtocolError extends Error {
  /**
   * @param {number} closeCode
   * @param {string} message
   */
  constructor(closeCode, message) {
    super(message);
    this.name = 'WebSocketProtocolError';
    this.closeCode = closeCode;
  }
}

/**
 * @param {number} opcode
 * @param {Buffer} payload
 * @param {{ fin?: boolean, mask?: Buffer }} [options]  a client must mask, with four random bytes; a server must not
 * @returns {Buffer}
 */
export function encodeFrame(opcode, payload, { fin = true, mask } = {}) {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + extended);
  header[0] = (fin ? 0x80 : 0) | opcode;
  header[1] = (mask ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) header.writeUInt16BE(length, 2);
  if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2);
  return mask ? Buffer.concat([header, mask, applyMask(payload, mask)]) : Buffer.concat([header, payload]);
}

/**
 * @param {Buffer} payload
 * @param {Buffer} mask
 * @returns {Buffer} a copy: the same function masks and unmasks
 */
export function applyMask(payload, mask) {
  const out = Buffer.allocUnsafe(payload.length);
  for (let index = 0; index < payload.length; index++) {
    out[index] = /** @type {number} */ (payload[index]) ^ /** @type {number} */ (mask[index & 3]);
  }
  return out;
}
