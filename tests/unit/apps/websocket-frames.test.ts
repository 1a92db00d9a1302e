import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FrameParser } from '../../../apps/shared/websocket/frame-parser.js';
import { applyMask, encodeFrame, OPCODE, WebSocketProtocolError } from '../../../apps/shared/websocket/frames.js';

const mask = Buffer.from([1, 2, 3, 4]);
const parser = (maxPayloadBytes = 1024 * 1024): FrameParser => new FrameParser({ maxPayloadBytes, expectMask: true });

function closeCodeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof WebSocketProtocolError) return error.closeCode;
    throw error;
  }
  return undefined;
}

describe('encodeFrame', () => {
  it('writes the unmasked "Hello" of RFC 6455, section 5.7', () => {
    expect(encodeFrame(OPCODE.TEXT, Buffer.from('Hello')).toString('hex')).toBe('810548656c6c6f');
  });

  it('writes the masked "Hello" of RFC 6455, section 5.7', () => {
    const frame = encodeFrame(OPCODE.TEXT, Buffer.from('Hello'), { mask: Buffer.from('37fa213d', 'hex') });
    expect(frame.toString('hex')).toBe('818537fa213d7f9f4d5158');
  });

  it('masks reversibly', () => {
    const bytes = randomBytes(1001);
    expect(applyMask(applyMask(bytes, mask), mask)).toEqual(bytes);
  });
});

describe('FrameParser', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('reads back a payload of %i bytes', (length) => {
    const payload = randomBytes(length);
    const [frame] = [...parser().push(encodeFrame(OPCODE.BINARY, payload, { mask }))];
    expect(frame).toEqual({ fin: true, opcode: OPCODE.BINARY, payload });
  });

  it('reads frames that come byte by byte, and several in one chunk', () => {
    const bytes = Buffer.concat([
      encodeFrame(OPCODE.TEXT, Buffer.from('one'), { mask }),
      encodeFrame(OPCODE.BINARY, randomBytes(300), { mask }),
      encodeFrame(OPCODE.PING, Buffer.alloc(0), { mask }),
    ]);
    const slow = parser();
    const single = [...bytes].flatMap((byte) => [...slow.push(Buffer.from([byte]))]);
    expect(single).toEqual([...parser().push(bytes)]);
    expect(single.map(({ opcode }) => opcode)).toEqual([OPCODE.TEXT, OPCODE.BINARY, OPCODE.PING]);
  });

  it.each([
    ['an unmasked frame', encodeFrame(OPCODE.TEXT, Buffer.from('x')), 1002],
    ['a reserved bit', Buffer.from([0xc1, 0x80]), 1002],
    ['an unknown opcode', Buffer.from([0x83, 0x80]), 1002],
    ['a fragmented ping', Buffer.from([0x09, 0x80]), 1002],
    ['a long ping', Buffer.from([0x89, 0xfe]), 1002],
    ['a 16-bit length that fits into 7 bits', Buffer.from([0x82, 0xfe, 0, 125]), 1002],
    ['a 64-bit length that fits into 16 bits', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), 1002],
    ['a 64-bit length with its highest bit set', Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), 1002],
    [
      'a payload above the limit, by its announcement alone',
      Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1]),
      1009,
    ],
  ])('refuses %s', (_what, bytes, closeCode) => {
    expect(closeCodeOf(() => [...parser().push(bytes)])).toBe(closeCode);
  });

  it('refuses a masked frame where a server speaks', () => {
    const client = new FrameParser({ maxPayloadBytes: 100, expectMask: false });
    expect(closeCodeOf(() => [...client.push(encodeFrame(OPCODE.TEXT, Buffer.from('x'), { mask }))])).toBe(1002);
  });
});
