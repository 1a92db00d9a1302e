import { createHash } from 'node:crypto';
import { get } from 'node:http';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import type { ForwardingFront } from '../support/set-ups/forwarding-front.ts';

const setUp = forwardingSetUp();
/** More than the kernel holds for a client that does not read, so that the rest waits in the proxy. */
const SIZE = 16_000_000;
const CLIENTS = Array.from({ length: 6 }, (_, index) => index);
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const body = (index: number): Buffer => Buffer.alloc(SIZE, `body ${index} `);

const DOWNLOADS = {
  'HTTP/1.1': (front: ForwardingFront, path: string): Promise<Readable> =>
    new Promise((resolve, reject) => {
      get({ port: front.port, path, agent: false }, resolve).on('error', reject);
    }),
  'HTTP/2': (front: ForwardingFront, path: string): Promise<Readable> => {
    const stream = front.http2().request({ ':path': path });
    return new Promise((resolve) => stream.on('response', () => resolve(stream)));
  },
};

async function whole(answer: Readable): Promise<Buffer> {
  return Buffer.concat((await answer.toArray()) as Buffer[]);
}

describe.each(['HTTP/1.1', 'HTTP/2'] as const)('the buffers that all downloads over %s share', (version) => {
  it.each(['Content-Length', 'chunked'])(
    'give every client its own bytes while others do not read or leave (%s)',
    async (framing) => {
      const { front } = await setUp((peer, head) => {
        const content = body(Number(/^GET \/(\d+)/.exec(head)![1]));
        const chunked = framing === 'chunked';
        peer.send(`HTTP/1.1 200 OK\r\n${chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${SIZE}`}\r\n\r\n`);
        if (chunked) peer.send(`${SIZE.toString(16)}\r\n`);
        peer.socket.write(content);
        if (chunked) peer.send('\r\n0\r\n\r\n');
      });
      const answers = await Promise.all(CLIENTS.map((index) => DOWNLOADS[version](front, `/${index}`)));
      const [slow, quick, leaving] = [0, 1, 2].map((rest) => CLIENTS.filter((index) => index % 3 === rest));
      for (const index of leaving!)
        answers[index]!.on('error', () => undefined).once('data', () => answers[index]!.destroy());
      const received = new Map<number, string>();
      for (const index of quick!) received.set(index, digest(await whole(answers[index]!)));
      for (const index of slow!) received.set(index, digest(await whole(answers[index]!)));
      for (const [index, seen] of received) expect(seen, `client ${index}`).toBe(digest(body(index)));
      expect(received.size).toBe(4);
    },
  );
});
