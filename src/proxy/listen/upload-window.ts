import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

/**
 * Bounds what a client has sent on all its streams together and nobody has read yet: while services wake or do not read,
 * the window of the connection shrinks by what is held. node:http2 itself opens that window again for every byte that
 * has come, read or not, so that only the number of streams times the window of each would be a bound.
 */
export class UploadWindow {
  readonly #session: ServerHttp2Session;
  #windowBytes: number;
  readonly #freeBytes: number;
  #heldBytes = 0;
  #sizeBytes: number;

  /**
   * @param windowBytes of the connection while nothing is held
   * @param freeBytes what may be held before the window shrinks: one upload that is slowed down now and then is usual.
   *   At most `windowBytes + freeBytes` are held.
   */
  constructor(session: ServerHttp2Session, windowBytes: number, freeBytes: number) {
    this.#session = session;
    this.#windowBytes = windowBytes;
    this.#freeBytes = freeBytes;
    this.#sizeBytes = windowBytes;
    if (!session.destroyed) session.setLocalWindowSize(windowBytes);
  }

  /** To be called for every stream with content, before anything of it has come. */
  watch(stream: ServerHttp2Stream): void {
    let heldBytes = 0;
    let closed = false;
    const note = (nowBytes: number): void => {
      if (closed) return;
      const change = nowBytes - heldBytes;
      heldBytes = nowBytes;
      if (change !== 0) this.#change(change);
    };
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      const wantsMore = push(chunk, encoding);
      note(stream.readableLength);
      return wantsMore;
    };
    const read = stream.read.bind(stream);
    stream.read = (size?: number): unknown => {
      const content: unknown = read(size);
      note(stream.readableLength);
      return content;
    };
    stream.once('close', () => {
      note(0);
      closed = true;
    });
  }

  #change(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#session.destroyed) return;
    const before = this.#sizeBytes;
    this.#resize();
    if (this.#sizeBytes > before && this.#session.state.localWindowSize === 0) this.#invite();
  }

  #resize(): void {
    const size = Math.max(0, this.#windowBytes - Math.max(0, this.#heldBytes - this.#freeBytes));
    if (size === this.#sizeBytes) return;
    this.#sizeBytes = size;
    this.#session.setLocalWindowSize(size);
  }

  /**
   * The client may not send one byte, and node:http2 tells it of a window that has grown again only when it does. One
   * byte above the largest size that there was is told as such, and leaves together with a PING.
   */
  #invite(): void {
    this.#windowBytes += 1;
    this.#sizeBytes = this.#windowBytes;
    this.#session.setLocalWindowSize(this.#windowBytes);
    this.#resize();
    this.#session.ping(() => undefined);
  }
}
