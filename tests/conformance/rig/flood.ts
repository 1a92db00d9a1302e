import type { BytePeer } from '../../support/wire/byte-peer.ts';

/** What may lie in sockets and buffers on the way, at most, of what the far end does not read. */
export const BUFFERED_BYTES = 24_000_000;
const FLOOD_BYTES = 100_000_000;

/** Answers with as much as is taken, up to 100 MB; the body is never complete. */
export function flood(peer: BytePeer): void {
  peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * FLOOD_BYTES}\r\n\r\n`);
  const block = Buffer.alloc(1_000_000, 97);
  const more = (): void => {
    while (peer.socket.bytesWritten < FLOOD_BYTES && peer.socket.write(block));
  };
  peer.socket.on('drain', more);
  more();
}

/** How many bytes have left this side. */
export function takenFrom(peer: BytePeer | undefined): number {
  return peer === undefined ? 0 : peer.socket.bytesWritten - peer.socket.writableLength;
}

/** The value once it has not changed for a while. */
export async function settled(value: () => number): Promise<number> {
  let before = -1;
  for (let same = 0; same < 8;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    same = value() === before ? same + 1 : 0;
    before = value();
    if (before >= FLOOD_BYTES) break;
  }
  return before;
}
