import type { BytePeer } from './byte-peer.ts';
import type { CaseBench } from './case-bench.ts';

export type Field = readonly [string, string];

export const FRAME = {
  ...{ data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8, continuation: 9 },
} as const;

const END_STREAM = 1;
const END_HEADERS = 4;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

interface SeenStream {
  content: string;
  heads: number;
  ended: boolean;
  reset: number | undefined;
}

/** RFC 9113 4.1. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HTTP/2 by single frames, for what no client would send. Heads are sent without compression, and only counted. */
export class Http2Peer {
  readonly bytes: BytePeer;
  /** The code of a GOAWAY. */
  goaway: number | undefined;
  readonly #streams = new Map<number, SeenStream>();
  #read = 0;

  private constructor(bytes: BytePeer) {
    this.bytes = bytes;
    bytes.socket.on('data', () => this.#readFrames());
  }

  static async open(bench: CaseBench): Promise<Http2Peer> {
    const peer = new Http2Peer(await bench.client({ ALPNProtocols: ['h2'] }));
    peer.bytes.send(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
    return peer;
  }

  headers(stream: number, fields: readonly Field[], endStream: boolean): void {
    const block = Buffer.concat(
      fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
    );
    this.bytes.send(frame(FRAME.headers, END_HEADERS | (endStream ? END_STREAM : 0), stream, block));
  }

  data(stream: number, content: string, endStream: boolean): void {
    this.bytes.send(frame(FRAME.data, endStream ? END_STREAM : 0, stream, Buffer.from(content, 'latin1')));
  }

  reset(stream: number, code: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    this.bytes.send(frame(FRAME.reset, 0, stream, payload));
  }

  until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    return this.bytes.changes.until(holds, timeoutMs);
  }

  contentOf(stream: number): string {
    return this.#streams.get(stream)?.content ?? '';
  }

  resetOf(stream: number): number | undefined {
    return this.#streams.get(stream)?.reset;
  }

  /** Complete or reset. */
  ended(stream: number): boolean {
    const seen = this.#streams.get(stream);
    return seen !== undefined && (seen.ended || seen.reset !== undefined);
  }

  describe(stream: number): string {
    const seen = this.#streams.get(stream);
    const parts = [
      ...(seen === undefined || seen.heads === 0 ? [] : ['answered']),
      ...(seen?.reset === undefined ? [] : [`reset ${seen.reset}`]),
      ...(this.goaway === undefined ? [] : [`GOAWAY ${this.goaway}`]),
    ];
    return parts.length > 0 ? parts.join(', ') : this.bytes.gone ? 'closed' : 'no answer';
  }

  #readFrames(): void {
    const bytes = Buffer.from(this.bytes.received.slice(this.#read), 'latin1');
    let at = 0;
    while (bytes.length - at >= 9) {
      const length = bytes.readUIntBE(at, 3);
      if (bytes.length - at < 9 + length) break;
      this.#onFrame(
        bytes[at + 3] ?? 0,
        bytes[at + 4] ?? 0,
        bytes.readUInt32BE(at + 5),
        bytes.subarray(at + 9, at + 9 + length),
      );
      at += 9 + length;
    }
    this.#read += at;
    this.bytes.changes.notify();
  }

  #onFrame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === FRAME.settings && (flags & 1) === 0) this.bytes.send(frame(FRAME.settings, 1, 0));
    if (type === FRAME.goaway) this.goaway = payload.readUInt32BE(4);
    if (id === 0) return;
    const stream = this.#stream(id);
    if (type === FRAME.headers) stream.heads += 1;
    if (type === FRAME.data) stream.content += payload.toString('latin1');
    if (type === FRAME.reset) stream.reset = payload.readUInt32BE(0);
    if ((type === FRAME.headers || type === FRAME.data) && (flags & END_STREAM) !== 0) stream.ended = true;
  }

  #stream(id: number): SeenStream {
    let stream = this.#streams.get(id);
    if (stream === undefined)
      this.#streams.set(id, (stream = { content: '', heads: 0, ended: false, reset: undefined }));
    return stream;
  }
}

/** HPACK string without Huffman, below 127 bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}
