import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sendCopy } from '../../../../src/proxy/exchange/send-copy.ts';

type Written = (error?: Error | null) => void;

/** A stream that takes one write at a time and says that it has when the test does. */
class HeldStream extends Writable {
  readonly taken: Buffer[] = [];
  readonly #waiting: Written[] = [];

  constructor() {
    super({ highWaterMark: 1 });
    this.on('error', () => undefined);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: Written): void {
    this.taken.push(chunk);
    this.#waiting.push(written);
  }

  /** Resolves when the one that wrote has been told. */
  finish(error?: Error): Promise<void> {
    this.#waiting.shift()?.(error);
    return new Promise((resolve) => setImmediate(resolve));
  }
}

const large = (letter: string): Buffer => Buffer.alloc(40_000, letter);

describe('a copy that is sent', () => {
  it.each([1, 100, 40_000, 100_000])('of %i bytes is not changed by what the caller does with them next', (length) => {
    const stream = new HeldStream();
    const content = Buffer.alloc(length, 'a');
    sendCopy(stream, content);
    content.fill('b');
    expect(stream.taken[0]!.equals(Buffer.alloc(length, 'a'))).toBe(true);
  });

  it('lies in the same buffers again and again, however much passes through', async () => {
    const stream = new HeldStream();
    for (let count = 0; count < 500; count += 1) {
      sendCopy(stream, large('x'));
      await stream.finish();
    }
    expect(new Set(stream.taken.map(({ buffer }) => buffer)).size).toBe(1);
  });

  it('keeps its buffer for itself until it has left, whoever else sends meanwhile', async () => {
    const [slow, quick] = [new HeldStream(), new HeldStream()];
    sendCopy(slow, large('s'));
    for (const letter of ['a', 'b', 'c']) {
      sendCopy(quick, large(letter));
      await quick.finish();
    }
    expect(slow.taken[0]!.equals(large('s'))).toBe(true);
    expect(quick.taken.every(({ buffer }) => buffer !== slow.taken[0]!.buffer)).toBe(true);
  });

  it.each([
    ['its write has failed', (stream: HeldStream) => stream.finish(new Error('reset'))],
    ['its stream has been destroyed', (stream: HeldStream) => stream.destroy().finish()],
  ])('never gives its buffer away when %s', async (_what, ends) => {
    const stream = new HeldStream();
    sendCopy(stream, large('s'));
    await ends(stream);
    const next = new HeldStream();
    sendCopy(next, large('n'));
    expect(next.taken[0]!.buffer).not.toBe(stream.taken[0]!.buffer);
    expect(stream.taken[0]!.equals(large('s'))).toBe(true);
  });
});
