import { describe, expect, it } from 'vitest';
import { OPCODE, WebSocketProtocolError } from '../../../apps/shared/websocket/frames.js';
import { MessageAssembler } from '../../../apps/shared/websocket/message-assembler.js';

const frame = (opcode: number, payload: string | Buffer, fin = true) => ({
  fin,
  opcode,
  payload: Buffer.from(payload),
});

describe('MessageAssembler', () => {
  it('joins the fragments of a text, also in the middle of a character', () => {
    const assembler = new MessageAssembler(100);
    const bytes = Buffer.from('Grüße ☀');
    expect(assembler.add(frame(OPCODE.TEXT, bytes.subarray(0, 3), false))).toBeUndefined();
    expect(assembler.add(frame(OPCODE.CONTINUATION, bytes.subarray(3, 9), false))).toBeUndefined();
    expect(assembler.add(frame(OPCODE.CONTINUATION, bytes.subarray(9)))).toBe('Grüße ☀');
  });

  it('gives binary messages as bytes and begins anew after each', () => {
    const assembler = new MessageAssembler(4);
    for (let round = 0; round < 3; round++) {
      expect(assembler.add(frame(OPCODE.BINARY, Buffer.from([1, 2, 255, 0])))).toEqual(Buffer.from([1, 2, 255, 0]));
    }
  });

  it('gives an empty message', () => {
    expect(new MessageAssembler(4).add(frame(OPCODE.TEXT, ''))).toBe('');
  });

  it.each([
    ['a continuation of nothing', [frame(OPCODE.CONTINUATION, 'x')], 1002],
    ['a new message within another', [frame(OPCODE.TEXT, 'x', false), frame(OPCODE.TEXT, 'y')], 1002],
    ['text that is not UTF-8', [frame(OPCODE.TEXT, Buffer.from([0xc3, 0x28]))], 1007],
    [
      'fragments that are too long together',
      [frame(OPCODE.TEXT, '123', false), frame(OPCODE.CONTINUATION, '45')],
      1009,
    ],
  ])('refuses %s', (_what, frames, closeCode) => {
    const add = (): void => {
      const assembler = new MessageAssembler(4);
      for (const one of frames) assembler.add(one);
    };
    expect(add).toThrow(WebSocketProtocolError);
    expect(add).toThrow(expect.objectContaining({ closeCode }) as Error);
  });
});
