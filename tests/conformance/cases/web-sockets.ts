import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { createHash } from 'node:crypto';
import type { CaseBench } from '../rig/case-bench.ts';
import type { BytePeer } from '../../support/wire/byte-peer.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { valuesOf } from '../rig/http1-reader.ts';

const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** A client and the upstream's side, joined by an accepted handshake. */
async function joined(bench: CaseBench): Promise<{ client: BytePeer; inside: BytePeer | undefined; open: boolean }> {
  bench.script(({ peer }) => peer.send(ACCEPTED));
  const client = await bench.client();
  client.socket.allowHalfOpen = true;
  client.send(HANDSHAKE);
  const open = await client.until('101 Switching', PATIENCE_MS);
  return { client, inside: bench.upstream.peers[0], open };
}

export const webSockets: readonly ConformanceCase[] = [
  {
    id: 'ws-bytes',
    title: 'After the 101 a megabyte passes unchanged each way',
    reference: 'RFC 6455 4, 5; scenario 16',
    run: async (bench) => {
      const { client, inside, open } = await joined(bench);
      if (!open || inside === undefined) return verdict(false, client.received.slice(0, 30) || 'no answer');
      await client.until('\r\n\r\n');
      const before = [client.received.length, inside.received.length] as const;
      // Random bytes that repeat: any byte may come, and a loss or a doubling shows.
      const bytes = Buffer.concat(Array.from({ length: 1_024 }, (_, index) => block(index)));
      client.send(bytes);
      inside.send(bytes);
      await client.changes.until(() => client.received.length >= before[0] + bytes.length, PATIENCE_MS);
      await inside.changes.until(() => inside.received.length >= before[1] + bytes.length, PATIENCE_MS);
      const text = bytes.toString('latin1');
      const up = inside.received.slice(before[1]) === text;
      const down = client.received.slice(before[0]) === text;
      return verdict(up && down, `up ${up ? 'whole' : 'broken'}, down ${down ? 'whole' : 'broken'}`);
    },
  },
  ...['401 Unauthorized', '302 Found', '500 Internal Server Error'].map((status): ConformanceCase => ({
    id: `ws-refused-${status.slice(0, 3)}`,
    title: `A handshake that the upstream refuses with ${status.slice(0, 3)} is answered with that, content included`,
    reference: 'RFC 6455 4.2.2; scenario 17',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(`HTTP/1.1 ${status}\r\nLocation: /login\r\nContent-Length: 2\r\n\r\nno`));
      const { responses, seen } = await bench.exchange(HANDSHAKE, { timeoutMs: PATIENCE_MS });
      const [first] = responses;
      return verdict(first?.content === 'no' && first.complete && first.startLine.includes(status.slice(0, 3)), seen);
    },
  })),
  {
    id: 'ws-refused-much',
    title: 'A handshake that is refused with much content is answered with all of it',
    reference: 'RFC 6455 4.2.2; scenario 17',
    run: async (bench) => {
      const content = 'no '.repeat(200_000);
      bench.script(({ peer }) =>
        peer.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${content.length}\r\n\r\n${content}`),
      );
      const { responses, seen } = await bench.exchange(HANDSHAKE, { timeoutMs: PATIENCE_MS });
      return verdict(responses[0]?.complete === true && responses[0].content === content, seen);
    },
  },
  {
    id: 'ws-half-close',
    title: 'A half-close travels, and the other half goes on',
    reference: 'RFC 6455 1.4, 7.1.1',
    run: async (bench) => {
      const { client, inside, open } = await joined(bench);
      if (!open || inside === undefined) return verdict(false, 'no 101');
      client.socket.end('last');
      const heard = await inside.until('last', PATIENCE_MS);
      const ended = await inside.untilGone();
      inside.send('still here');
      const came = await client.until('still here', PATIENCE_MS);
      return verdict(
        heard && ended && came,
        `${ended ? 'end seen' : 'no end'}, ${came ? 'answer came' : 'answer lost'}`,
      );
    },
  },
  {
    id: 'ws-client-cut',
    title: 'A client that is cut is felt upstream at once',
    reference: 'RFC 6455 7.1.1; scenario 7',
    run: async (bench) => {
      const { client, inside, open } = await joined(bench);
      if (!open || inside === undefined) return verdict(false, 'no 101');
      client.destroy();
      const gone = await inside.untilGone();
      return verdict(gone, gone ? 'closed' : 'still open after 5 s');
    },
  },
  {
    id: 'ws-upstream-cut',
    title: 'An upstream that is cut is felt by the client at once',
    reference: 'RFC 6455 7.1.1; scenario 8',
    run: async (bench) => {
      const { client, inside, open } = await joined(bench);
      if (!open || inside === undefined) return verdict(false, 'no 101');
      inside.socket.resetAndDestroy();
      const gone = await client.untilGone();
      return verdict(gone, gone ? 'closed' : 'still open after 5 s');
    },
  },
  {
    id: 'ws-early-bytes',
    title: 'What a client sends right behind its handshake comes after the 101, or the handshake is refused',
    reference: 'RFC 6455 4.1, RFC 9110 7.8',
    run: async (bench) => {
      bench.script(({ peer, index }) => {
        if (index === 0) setTimeout(() => peer.send(ACCEPTED), 50);
      });
      const client = await bench.client();
      client.send(`${HANDSHAKE}GET /secret HTTP/1.1\r\nHost: app.test\r\n\r\n`);
      await client.until('101 Switching', PATIENCE_MS);
      await bench.upstream.until(() => bench.upstream.requests.length > 1, 60);
      const [first] = bench.upstream.requests;
      const seen = client.received.slice(9, 12) || 'closed';
      return verdict(first === undefined || !client.received.includes('\r\n\r\nHTTP/'), seen);
    },
  },
  {
    id: 'upgrade-h2c',
    title: 'An upgrade to h2c does not reach the upstream, and the request is served as it is',
    reference: 'RFC 9113 3.1, RFC 9110 7.8',
    run: async (bench) => {
      const { responses, seen } = await bench.exchange(
        'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
        { timeoutMs: PATIENCE_MS },
      );
      const [request] = bench.upstream.requests;
      const passed =
        request === undefined
          ? []
          : ['upgrade', 'http2-settings'].filter((name) => valuesOf(request.message, name).length > 0);
      return verdict(
        responses[0]?.content === 'ok' && passed.length === 0,
        passed.length > 0 ? `passed on: ${passed.join(', ')}` : seen,
      );
    },
  },
  {
    id: 'ws-bad-101',
    title: 'A 101 to another protocol than the one asked for is not passed on',
    reference: 'RFC 9110 7.8, RFC 6455 4.1',
    run: async (bench) => {
      bench.script(({ peer }) =>
        peer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'),
      );
      const { client, seen } = await bench.exchange(HANDSHAKE, { timeoutMs: PATIENCE_MS });
      return verdict(!client.received.includes(' 101 ') && client.received !== '', seen);
    },
  },
];

function block(index: number): Buffer {
  const seed = createHash('sha512').update(String(index)).digest();
  return Buffer.concat(Array.from({ length: 16 }, () => seed));
}
