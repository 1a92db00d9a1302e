import type { Socket } from 'node:net';
import { messageOf } from '../lib/coded-error.ts';
import { encodeFrame, FrameReader } from './frames.ts';

export interface ChannelOptions<Message> {
  /** Undefined for what is not understood: the connection then ends. */
  readonly parse: (value: unknown) => Message | undefined;
  readonly maxMessageBytes: number;
  readonly onMessage: (message: Message) => void;
  /** Called once; `fault` when the other side said something that cannot be. */
  readonly onEnd: (fault: string | undefined) => void;
  /** What was sent has been taken, after it had piled up. */
  readonly onDrain?: () => void;
}

/** Whoever lets this much pile up will not read it any more. */
const MAX_BEHIND_BYTES = 64 * 1024 * 1024;
const LAST_WORDS_MS = 1_000;

/** Messages over a socket, both ways, each bounded. */
export class Channel<Message> {
  readonly #socket: Socket;
  readonly #options: ChannelOptions<Message>;
  readonly #reader: FrameReader;
  #ended = false;

  constructor(socket: Socket, options: ChannelOptions<Message>) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new FrameReader(options.maxMessageBytes);
    socket.on('error', () => socket.destroy());
    socket.on('data', (piece: Buffer) => this.#read(piece));
    socket.on('drain', () => options.onDrain?.());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.end());
  }

  /** Whether the other side is slow to read: what can be told later, and shorter, should wait for `onDrain`. */
  get behind(): boolean {
    return this.#socket.writableNeedDrain;
  }

  send(message: unknown): void {
    if (this.#ended) return;
    this.#socket.write(encodeFrame(message));
    if (this.#socket.writableLength > MAX_BEHIND_BYTES) this.end('it does not read what it is sent');
  }

  /** Lets what was sent arrive, then ends. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
    this.#socket.setTimeout(LAST_WORDS_MS, () => this.#socket.destroy());
    this.#options.onEnd(undefined);
  }

  end(fault?: string): void {
    this.#socket.destroy();
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onEnd(fault);
  }

  #over(): boolean {
    return this.#ended;
  }

  #read(piece: Buffer): void {
    if (this.#over()) return;
    try {
      for (const value of this.#reader.push(piece)) {
        const message = this.#options.parse(value);
        if (message === undefined) throw new Error('a message that is not understood');
        this.#options.onMessage(message);
        // It may have ended us, by what it said.
        if (this.#over()) return;
      }
    } catch (error) {
      this.end(messageOf(error));
    }
  }
}
