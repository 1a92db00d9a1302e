import { FRAME, frame, headers, PREFACE, readFrames, type SeenFrame } from '../../support/wire/http2-frames.ts';
import type { BytePeer } from '../../support/wire/byte-peer.ts';
import type { CaseBench } from './case-bench.ts';

export type Field = readonly [string, string];

const END_STREAM = 1;
interface SeenStream {
  content: string;
  heads: number;
  ended: boolean;
  reset: number | undefined;
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
    peer.bytes.send(PREFACE);
    return peer;
  }

  headers(stream: number, fields: readonly Field[], endStream: boolean): void {
    this.bytes.send(headers(stream, fields, endStream));
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
    const { frames, length } = readFrames(this.bytes.received.slice(this.#read));
    this.#read += length;
    for (const seen of frames) this.#onFrame(seen);
    this.bytes.changes.notify();
  }

  #onFrame({ type, flags, stream: id, payload }: SeenFrame): void {
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
