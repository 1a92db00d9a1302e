import type { Writable } from 'node:stream';

/** What a read brings at most. */
const BUFFER_BYTES = 65_536;
/** Below this a new buffer costs less than one that has to be given back. */
const MIN_BYTES = 16_384;
/** 4 MB in each process; how many are in use is bounded by how much its clients may leave unread. */
const MAX_FREE = 64;

const free: Buffer[] = [];

/**
 * Writes content of which the stream may keep nothing but a copy: what an upstream sent lies in a buffer that the next
 * read fills. Copies of large bodies are made in the same few buffers again and again, because new ones for all that
 * passes through make V8 collect its whole heap several times a second. One whose write has failed, or whose stream
 * was destroyed first (Node reports success then), is not used again: nobody can say who still looks at it.
 */
export function sendCopy(stream: Writable, content: Uint8Array): boolean {
  if (content.length < MIN_BYTES || content.length > BUFFER_BYTES) return stream.write(Buffer.from(content));
  const buffer = free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  buffer.set(content);
  return stream.write(buffer.subarray(0, content.length), (error) => {
    if (error == null && !stream.destroyed && free.length < MAX_FREE) free.push(buffer);
  });
}
