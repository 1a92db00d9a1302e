/** The types of frames, RFC 9113 6. */
export const FRAME = {
  ...{ data: 0, headers: 1, priority: 2, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8, continuation: 9 },
} as const;

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

/** The complete frames at the beginning of what came, and how many bytes of it they are. RFC 9113 4.1. */
export function readFrames(received: string): { readonly frames: readonly SeenFrame[]; readonly length: number } {
  const bytes = Buffer.from(received, 'latin1');
  const frames: SeenFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (bytes.length < end) break;
    const [type = 0, flags = 0] = bytes.subarray(at + 3);
    frames.push({ type, flags, stream: bytes.readUInt32BE(at + 5) & 0x7fffffff, payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return { frames, length: at };
}
