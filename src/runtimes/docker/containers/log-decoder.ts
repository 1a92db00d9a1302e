import { StringDecoder } from 'node:string_decoder';
import type { LogLine } from '../../../fleet/runtime.ts';

const HEADER_BYTES = 8;
/** Docker cuts messages at 16 KiB; a frame beyond this is not one of its own. */
const MAX_FRAME_BYTES = 1024 * 1024;
const MAX_LINE_CHARACTERS = 16 * 1024;

type StreamName = LogLine['stream'];

/** A line with the instant as the engine wrote it, exact to the nanosecond. */
export interface StampedLine extends LogLine {
  readonly stamp: string;
}

/** The text of one of the two streams until its line feed; longer lines are cut. */
class PendingLine {
  readonly #decoder = new StringDecoder('utf8');
  #text = '';
  #stamp = '';

  push(payload: Buffer, stream: StreamName): StampedLine[] {
    // Each message begins with its time, also the second part of a line that was too long for one.
    const space = payload.indexOf(32);
    const stamp = space > 0 && space < 40 ? payload.toString('latin1', 0, space) : '';
    const stamped = /^\d{4}-\d\d-\d\dT/.test(stamp);
    if (stamped && this.#text === '') this.#stamp = stamp;
    const parts = this.#decoder.write(stamped ? payload.subarray(space + 1) : payload).split('\n');
    const rest = parts.pop() ?? '';
    const lines = parts.map((part) => this.#take(part, stream, stamp));
    if (this.#text.length < MAX_LINE_CHARACTERS) this.#text += rest;
    return lines;
  }

  end(stream: StreamName): StampedLine[] {
    return this.#text === '' ? [] : [this.#take('', stream, this.#stamp)];
  }

  #take(part: string, stream: StreamName, nextStamp: string): StampedLine {
    const text = (this.#text + part).replace(/\r$/, '');
    const bounded = text.length > MAX_LINE_CHARACTERS ? `${text.slice(0, MAX_LINE_CHARACTERS)}…` : text;
    const stamp = this.#stamp || nextStamp;
    this.#text = '';
    this.#stamp = nextStamp;
    const epochMs = Date.parse(stamp);
    return { stream, text: bounded, stamp, atEpochMs: Number.isNaN(epochMs) ? 0 : epochMs };
  }
}

/** Takes the engine's multiplexed log apart: frames with an 8-byte header, one message with a time each, into lines. */
export class LogDecoder {
  #data: Buffer = Buffer.alloc(0);
  readonly #pending = { stdout: new PendingLine(), stderr: new PendingLine() };

  push(chunk: Buffer): StampedLine[] {
    this.#data = this.#data.length === 0 ? chunk : Buffer.concat([this.#data, chunk]);
    const lines: StampedLine[] = [];
    while (this.#data.length >= HEADER_BYTES) {
      const length = this.#data.readUInt32BE(4);
      if (length > MAX_FRAME_BYTES) throw new Error('the log of the engine has a frame of impossible length');
      if (this.#data.length < HEADER_BYTES + length) break;
      const stream: StreamName = this.#data.readUInt8(0) === 2 ? 'stderr' : 'stdout';
      lines.push(...this.#pending[stream].push(this.#data.subarray(HEADER_BYTES, HEADER_BYTES + length), stream));
      this.#data = this.#data.subarray(HEADER_BYTES + length);
    }
    return lines;
  }

  /** What is left when the log ends without a line feed. */
  end(): StampedLine[] {
    return [...this.#pending.stdout.end('stdout'), ...this.#pending.stderr.end('stderr')];
  }
}
