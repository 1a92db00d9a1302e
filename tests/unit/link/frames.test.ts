import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader } from '../../../src/link/frames.ts';

describe('frames', () => {
  const messages = [{ a: 1 }, 'größe', [1, [2]], { text: 'x'.repeat(100_000) }, null];
  const bytes = Buffer.concat(messages.map((message) => encodeFrame(message)));

  it.each([1, 3, 7, 64, 4096, bytes.length])('put messages together again from pieces of %i bytes', (size) => {
    const reader = new FrameReader(1_000_000);
    const read: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size) read.push(...reader.push(bytes.subarray(at, at + size)));
    expect(read).toEqual(messages);
  });

  it('refuse a message that is announced as too long before it is there', () => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(101);
    expect(() => new FrameReader(100).push(head)).toThrow('101 bytes');
    expect(new FrameReader(101).push(head)).toEqual([]);
  });

  it('refuse what is not JSON', () => {
    const frame = encodeFrame('abc');
    frame[4] = 0x7b;
    expect(() => new FrameReader(100).push(frame)).toThrow('not JSON');
  });
});
