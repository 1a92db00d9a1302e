import type { RawClient } from './raw-client.ts';

/** Frames as bytes, for what no HTTP/2 client would send. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]);

/** HPACK without compression: each field a literal, values below 127 bytes. */
export function headers(stream: number, fields: readonly (readonly [string, string])[], endStream = true): Buffer {
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
  const block = fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), literal(name), literal(value)]));
  return frame(1, endStream ? 5 : 4, stream, Buffer.concat(block));
}

export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function framesOf(client: RawClient): SeenFrame[] {
  let bytes = Buffer.from(client.received, 'latin1');
  const frames: SeenFrame[] = [];
  while (bytes.length >= 9) {
    const length = bytes.readUIntBE(0, 3);
    if (bytes.length < 9 + length) break;
    const payload = bytes.subarray(9, 9 + length);
    frames.push({ type: bytes[3] ?? 0, flags: bytes[4] ?? 0, stream: bytes.readUInt32BE(5) & 0x7fffffff, payload });
    bytes = bytes.subarray(9 + length);
  }
  return frames;
}
