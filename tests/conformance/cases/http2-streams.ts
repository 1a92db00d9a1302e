import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { FRAME, frame } from '../../support/wire/http2-frames.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { Http2Peer, type Field } from '../rig/http2-peer.ts';
import { okResponse } from '../rig/case-upstream.ts';
import { BUFFERED_BYTES, flood, settled, takenFrom } from '../rig/flood.ts';

const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'app.test'],
  [':path', '/'],
];
const ENHANCE_YOUR_CALM = 11;
/** How many requests of a flood may reach the upstream. */
const FEW = 1_000;

export const http2Streams: readonly ConformanceCase[] = [
  {
    id: 'h2-rapid-reset',
    title: 'Ten thousand streams that are opened and reset end the session or are few upstream, and others are served',
    reference: 'CVE-2023-44487; scenario 22',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer, path }) => {
        if (path === '/other') peer.send(okResponse('other'));
      });
      const peer = await Http2Peer.open(bench);
      for (let index = 0; index < 10_000 && !peer.bytes.gone; index += 1) {
        peer.headers(2 * index + 1, GET, true);
        peer.reset(2 * index + 1, 8);
        if (index % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
      }
      const other = bench.ask2({ headers: { ':path': '/other' }, timeoutMs: PATIENCE_MS });
      const over = await peer.until(() => peer.goaway !== undefined || peer.bytes.gone, PATIENCE_MS);
      const { content } = await other;
      const reached = bench.upstream.requests.length - 1;
      return verdict(
        (over || reached <= FEW) && content === 'other',
        `${over ? `ended (${peer.goaway ?? 'closed'})` : 'not ended'}, ${reached} requests upstream, other client ${content === 'other' ? 'served' : 'not served'}`,
      );
    },
  },
  {
    id: 'h2-made-you-reset',
    title: 'Five thousand streams that the client makes the proxy reset end the session or are few upstream',
    reference: 'CVE-2025-8671 (MadeYouReset)',
    http2: true,
    run: async (bench) => {
      bench.script(() => undefined);
      const peer = await Http2Peer.open(bench);
      for (let index = 0; index < 5_000 && !peer.bytes.gone; index += 1) {
        peer.headers(2 * index + 1, GET, true);
        // A window that grows by nothing is an error of the stream.
        peer.bytes.send(frame(FRAME.windowUpdate, 0, 2 * index + 1, Buffer.alloc(4)));
        if (index % 250 === 249) await new Promise((resolve) => setImmediate(resolve));
      }
      const over = await peer.until(() => peer.goaway !== undefined || peer.bytes.gone, PATIENCE_MS);
      return verdict(
        over || bench.upstream.requests.length <= FEW,
        `${over ? `ended (${peer.goaway ?? 'closed'})` : 'not ended'}, ${bench.upstream.requests.length} requests upstream`,
      );
    },
  },
  ...(
    [
      ['ping', 'PING frames', 'CVE-2019-9512', frame(FRAME.ping, 0, 0, Buffer.alloc(8)), 20_000],
      ['settings', 'SETTINGS frames', 'CVE-2019-9515', frame(FRAME.settings, 0, 0), 20_000],
      ['empty-data', 'empty DATA frames', 'CVE-2019-9518', undefined, 20_000],
      ['continuation', 'CONTINUATION frames without end', 'CVE-2024-27316', undefined, 2_000],
    ] as const
  ).map(([id, what, reference, bytes, count]): ConformanceCase => ({
    id: `h2-flood-${id}`,
    title: `A flood of ${what} ends the session or the stream`,
    reference: `${reference}; scenario 22`,
    http2: true,
    // How many are a flood is for each to say; a header block without end is one for everybody.
    own: id !== 'continuation',
    run: async (bench) => {
      bench.script(() => undefined);
      const peer = await Http2Peer.open(bench);
      if (id === 'empty-data') peer.headers(1, [[':method', 'POST'], ...GET.slice(1)], false);
      if (id === 'continuation') peer.bytes.send(frame(FRAME.headers, 0, 1, Buffer.from([0x82, 0x87])));
      const part =
        bytes ?? (id === 'empty-data' ? frame(FRAME.data, 0, 1) : frame(FRAME.continuation, 0, 1, literal()));
      // The answers are left unread, as whoever floods does.
      for (let sent = 0; sent < count && !peer.bytes.gone; sent += 200) {
        peer.bytes.send(Buffer.concat(Array.from({ length: 200 }, () => part)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const over = await peer.until(
        () => peer.goaway !== undefined || peer.bytes.gone || peer.resetOf(1) !== undefined,
        PATIENCE_MS,
      );
      return verdict(
        over,
        over
          ? `ended (${peer.goaway ?? (peer.resetOf(1) === undefined ? 'closed' : 'stream reset')})`
          : `all ${count} taken`,
      );
    },
  })),
  {
    id: 'h2-flow-control',
    title: 'A stream that the client does not read holds its upstream back, and no other stream',
    reference: 'RFC 9113 5.2; scenario 21',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer, path }) => {
        if (path === '/other') {
          peer.send(okResponse('other'));
          return;
        }
        flood(peer);
      });
      const peer = await Http2Peer.open(bench);
      // The whole session gets room, the first stream none beyond its first 65535 bytes.
      peer.bytes.send(frame(FRAME.windowUpdate, 0, 0, Buffer.from([0x3f, 0xff, 0, 0])));
      peer.headers(1, GET, true);
      await peer.until(() => peer.contentOf(1).length >= 65_535, PATIENCE_MS);
      peer.headers(3, [...GET.slice(0, 3), [':path', '/other']], true);
      await peer.until(() => peer.ended(3), PATIENCE_MS);
      const taken = takenFrom(bench.upstream.peers[0]);
      const isRight = peer.contentOf(3) === 'other' && peer.contentOf(1).length === 65_535 && taken < BUFFERED_BYTES;
      return verdict(
        isRight,
        `${Math.round(taken / 1_000_000)} MB taken; other stream: ${peer.contentOf(3) || 'nothing'}`,
      );
    },
  },
  {
    id: 'h2-upload-window',
    title: 'An HTTP/2 upload that the upstream does not read is held back',
    reference: 'RFC 9113 5.2; scenario 19',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer }) => void peer.socket.pause());
      const session = await bench.http2();
      const stream = session.request(
        { ':authority': 'app.test', ':method': 'POST', ':path': '/' },
        { endStream: false },
      );
      stream.on('error', () => undefined);
      let sent = 0;
      const block = Buffer.alloc(1_000_000, 97);
      const more = (): void => {
        if (sent >= 100_000_000) return;
        stream.write(block, () => {
          sent += block.length;
          more();
        });
      };
      more();
      await settled(() => sent);
      return verdict(sent < BUFFERED_BYTES, `${Math.round(sent / 1_000_000)} MB taken from the client`);
    },
  },
  {
    id: 'h2-many-streams',
    title: 'A hundred streams at once on one session are answered, each with its own',
    reference: 'RFC 9113 5.1.2',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer, path }) => void setTimeout(() => peer.send(okResponse(path)), 20));
      const session = await bench.http2();
      const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
      const answers = await Promise.all(paths.map((path) => bench.ask2({ headers: { ':path': path } }, session)));
      const right = answers.filter(({ content }, index) => content === paths[index]).length;
      return verdict(right === 100, `${right} of 100`);
    },
  },
  {
    id: 'h2-dies-mid-body',
    title: 'An upstream that dies in the middle of its chunks is a reset of that stream, and the session goes on',
    reference: 'RFC 9113 8.1; scenario 8',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer, path }) => {
        if (path === '/other') {
          peer.send(okResponse('other'));
          return;
        }
        peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
        setTimeout(() => peer.destroy(), 30);
      });
      const session = await bench.http2();
      const answer = await bench.ask2({ timeoutMs: PATIENCE_MS }, session);
      const other = await bench.ask2({ headers: { ':path': '/other' } }, session);
      const isRight =
        !answer.ended && answer.code !== 0 && answer.code !== ENHANCE_YOUR_CALM && other.content === 'other';
      return verdict(isRight, `${answer.seen}; then ${other.seen}`);
    },
  },
];

/** A field of 4 KB, literal, not indexed. */
function literal(): Buffer {
  const name = Buffer.from('x-a');
  const value = Buffer.alloc(100, 97);
  const field = Buffer.concat([Buffer.from([0, name.length]), name, Buffer.from([value.length]), value]);
  return Buffer.concat(Array.from({ length: 40 }, () => field));
}
