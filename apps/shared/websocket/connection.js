import { EventEmitter } from 'node:events';
import { FrameParser } from './frame-parser.js';
import { encodeFrame, OPCODE, WebSocketProtocolError } from './frames.js';
import { decodeText, MessageAssembler } from './message-assembler.js';

const MAX_MESSAGE_BYTES = 1024 * 1024;
const MAX_BACKLOG_BYTES = 4 * MAX_MESSAGE_BYTES;
const PING_EVERY_MS = 30_000;
const CLOSE_WAIT_MS = 1_000;

/**
 * The server's side of one WebSocket (RFC 6455), after the handshake.
 *
 * Back-pressure goes both ways: while the peer does not read, nothing more is read from it, and whoever lets too much pile up
 * is cut off. A peer that answers no ping for a minute is gone.
 *
 * @extends {EventEmitter<{ message: [string | Buffer], close: [number, string] }>}
 */
export class WebSocketConnection extends EventEmitter {
  #socket;
  #parser = new FrameParser({ maxPayloadBytes: MAX_MESSAGE_BYTES, expectMask: true });
  #assembler = new MessageAssembler(MAX_MESSAGE_BYTES);
  #closeSent = false;
  #ended = false;
  #alive = true;
  /** What the peer said, or 1006 when it left without a word. */
  #closeCode = 1006;
  #closeReason = '';
  /** @type {NodeJS.Timeout} */
  #heartbeat;

  /** @param {import('node:stream').Duplex} socket */
  constructor(socket) {
    super();
    this.#socket = socket;
    this.#heartbeat = setInterval(() => this.#beat(), PING_EVERY_MS).unref();
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#finish());
    socket.on('drain', () => socket.resume());
    socket.on('data', (/** @type {Buffer} */ chunk) => this.#receive(chunk));
  }

  get open() {
    return !this.#closeSent && !this.#socket.destroyed;
  }

  /** True while what was sent waits for the peer: send nothing now that it can do without. */
  get congested() {
    return this.#socket.writableNeedDrain;
  }

  /** @param {string | Buffer} message  text or binary */
  send(message) {
    if (!this.open) return;
    if (typeof message === 'string') this.#write(encodeFrame(OPCODE.TEXT, Buffer.from(message)));
    else this.#write(encodeFrame(OPCODE.BINARY, message));
  }

  /**
   * Says goodbye and waits a second at most for the peer to do so too.
   *
   * @param {number} code
   * @param {string} [reason]  at most 123 bytes
   */
  close(code, reason = '') {
    if (!this.open) return;
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code, 0);
    payload.write(reason, 2);
    this.#write(encodeFrame(OPCODE.CLOSE, payload));
    this.#closeSent = true;
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), CLOSE_WAIT_MS).unref();
  }

  /** Takes bytes that came right behind the handshake. @param {Buffer} head */
  receiveHead(head) {
    if (head.length > 0) this.#receive(head);
  }

  /** @param {Buffer} chunk */
  #receive(chunk) {
    if (this.#ended) return;
    this.#alive = true;
    try {
      for (const frame of this.#parser.push(chunk)) {
        if (frame.opcode < 8) this.#data(frame);
        else if (this.#control(frame)) return;
      }
    } catch (error) {
      if (!(error instanceof WebSocketProtocolError)) throw error;
      this.#fail(error);
      return;
    }
    if (this.#socket.writableNeedDrain && !this.#closeSent) this.#socket.pause();
  }

  /** @param {import('./frames.js').Frame} frame */
  #data(frame) {
    const message = this.#assembler.add(frame);
    // After our goodbye, what still comes is read only to find the peer's own.
    if (message !== undefined && this.open) this.emit('message', message);
  }

  /**
   * @param {import('./frames.js').Frame} frame
   * @returns {boolean} whether it was the last
   */
  #control({ opcode, payload }) {
    if (opcode === OPCODE.PING && this.open) this.#write(encodeFrame(OPCODE.PONG, payload));
    if (opcode !== OPCODE.CLOSE) return false;
    const { code, reason } = readClose(payload);
    this.#closeCode = code;
    this.#closeReason = reason;
    if (this.open) this.#write(encodeFrame(OPCODE.CLOSE, payload.subarray(0, 2)));
    this.#end();
    return true;
  }

  /** @param {WebSocketProtocolError} error */
  #fail(error) {
    this.#closeCode = error.closeCode;
    this.#closeReason = error.message;
    this.close(error.closeCode, error.message);
    this.#end();
  }

  /** Section 7.1.1: the server closes the connection first. */
  #end() {
    this.#closeSent = true;
    this.#ended = true;
    this.#socket.end();
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), CLOSE_WAIT_MS).unref();
  }

  /** @param {Buffer} bytes */
  #write(bytes) {
    this.#socket.write(bytes);
    if (this.#socket.writableLength > MAX_BACKLOG_BYTES) this.#socket.destroy();
  }

  #beat() {
    if (!this.#alive) this.#socket.destroy();
    else if (this.open) {
      this.#alive = false;
      this.#write(encodeFrame(OPCODE.PING, Buffer.alloc(0)));
    }
  }

  #finish() {
    clearInterval(this.#heartbeat);
    this.#ended = true;
    this.#closeSent = true;
    this.emit('close', this.#closeCode, this.#closeReason);
  }
}

/**
 * Section 5.5.1 and 7.4.
 *
 * @param {Buffer} payload
 */
function readClose(payload) {
  if (payload.length === 0) return { code: 1005, reason: '' };
  if (payload.length === 1) throw new WebSocketProtocolError(1002, 'The close code is cut off.');
  const code = payload.readUInt16BE(0);
  const known = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  if (!known) throw new WebSocketProtocolError(1002, `Close code ${code} may not be sent.`);
  return { code, reason: decodeText(payload.subarray(2)) };
}
