import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import type { CaseBench } from '../rig/case-bench.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { okResponse } from '../rig/case-upstream.ts';
import { BUFFERED_BYTES, flood, settled, takenFrom } from '../rig/flood.ts';
import { statusOf } from '../rig/http1-reader.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';

/** Sends a part every `everyMs` until the connection ends or the time is over. */
async function drip(
  bench: CaseBench,
  start: string,
  part: string,
  limitMs: number,
): Promise<{ gone: boolean; text: string }> {
  const client = await bench.client();
  client.send(start);
  const timer = setInterval(() => client.send(part), 50);
  const gone = await client.changes.until(() => client.gone || client.received !== '', limitMs);
  clearInterval(timer);
  return { gone, text: client.received };
}

export const limits: readonly ConformanceCase[] = [
  {
    id: 'slow-head',
    title: 'A request head that drips is ended at the limit',
    reference: 'CVE-2007-6750 (slowloris); scenario 20',
    settings: { headTimeoutMs: 300 },
    run: async (bench) => {
      const { gone, text } = await drip(bench, 'GET / HTTP/1.1\r\n', 'X-A: 1\r\n', PATIENCE_MS);
      return verdict(gone, gone ? text.slice(9, 12) || 'closed' : 'still open long after the limit');
    },
  },
  {
    id: 'slow-body',
    title: 'Content that drips below any use is ended at the limit',
    reference: 'CWE-400; scenario 21',
    settings: { bodyTimeoutMs: 300 },
    run: async (bench) => {
      bench.script(() => undefined);
      const { gone, text } = await drip(
        bench,
        'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000\r\n\r\n',
        'a',
        PATIENCE_MS,
      );
      return verdict(gone, gone ? text.slice(9, 12) || 'closed' : 'still open long after the limit');
    },
  },
  {
    id: 'silent-body',
    title: 'Content that does not come is ended at the limit',
    reference: 'RFC 9110 15.5.9; scenario 21',
    settings: { bodyTimeoutMs: 300 },
    run: async (bench) => {
      bench.script(() => undefined);
      const client = await bench.client();
      client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000\r\n\r\na');
      const gone = await client.changes.until(() => client.gone || client.received !== '', PATIENCE_MS);
      return verdict(gone, gone ? client.received.slice(9, 12) || 'closed' : 'still open long after the limit');
    },
  },
  {
    id: 'unread-download',
    title: 'A client that does not read holds the upstream back',
    reference: 'RFC 9110 3.7 (back-pressure); scenario 21',
    run: async (bench) => {
      bench.script(({ peer }) => flood(peer));
      const client = await bench.client();
      client.socket.pause();
      client.send(GET);
      const flooded = await settled(() => takenFrom(bench.upstream.peers[0]));
      return verdict(
        flooded < BUFFERED_BYTES && flooded > 0,
        `${Math.round(flooded / 1_000_000)} MB taken from the upstream`,
      );
    },
  },
  {
    id: 'unread-upload',
    title: 'An upstream that does not read holds the client back',
    reference: 'RFC 9110 3.7 (back-pressure); scenario 19',
    run: async (bench) => {
      bench.script(({ peer }) => void peer.socket.pause());
      const client = await bench.client();
      client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 200000000\r\n\r\n');
      await bench.upstream.until(() => bench.upstream.requests.length === 1);
      const block = Buffer.alloc(1_000_000, 97);
      const more = (): void => {
        while (client.socket.bytesWritten < 100_000_000 && client.socket.write(block));
      };
      client.socket.on('drain', more);
      more();
      const flooded = await settled(() => takenFrom(client));
      return verdict(flooded < BUFFERED_BYTES, `${Math.round(flooded / 1_000_000)} MB taken from the client`);
    },
  },
  {
    id: 'large-head',
    title: 'A request head of 200 KB is refused',
    reference: 'RFC 6585 5',
    run: async (bench) => {
      const lines = Array.from({ length: 200 }, (_, index) => `X-${index}: ${'a'.repeat(1_000)}\r\n`).join('');
      const { responses, client, seen } = await bench.exchange(`GET / HTTP/1.1\r\nHost: app.test\r\n${lines}\r\n`);
      const [first] = responses;
      const isRefused = first === undefined ? client.gone : statusOf(first) >= 400;
      return verdict(isRefused && bench.upstream.requests.length === 0, seen);
    },
  },
  {
    id: 'large-url',
    title: 'A URL of 100 KB is refused',
    reference: 'RFC 9110 15.5.15',
    run: async (bench) => {
      const { responses, client, seen } = await bench.exchange(
        `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: app.test\r\n\r\n`,
      );
      const [first] = responses;
      const isRefused = first === undefined ? client.gone : statusOf(first) >= 400;
      return verdict(isRefused && bench.upstream.requests.length === 0, seen);
    },
  },
  {
    id: 'many-fields',
    title: 'Ten thousand fields are refused, not cut to a number',
    reference: 'RFC 6585 5',
    run: async (bench) => {
      const lines = Array.from({ length: 3_000 }, (_, index) => `a${index}:1\r\n`).join('');
      const { responses, seen } = await bench.exchange(`GET / HTTP/1.1\r\nHost: app.test\r\n${lines}X-Last: 1\r\n\r\n`);
      const [first] = responses;
      const [request] = bench.upstream.requests;
      const isWhole = request?.message.fields.some(([name]) => name === 'X-Last') === true;
      return verdict(
        first !== undefined && (statusOf(first) >= 400 || isWhole),
        `${seen}${request !== undefined && !isWhole ? '; fields lost' : ''}`,
      );
    },
  },
  {
    id: 'pipeline',
    title: 'Pipelined requests are answered in their order',
    reference: 'RFC 9112 9.3.2',
    run: async (bench) => {
      bench.script(({ peer, path }) => {
        // The first is the slowest.
        setTimeout(() => peer.send(okResponse(path)), path === '/a' ? 100 : 0);
      });
      const requests = ['/a', '/b', '/c'].map((path) => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`).join('');
      const { responses, seen } = await bench.exchange(requests, { responses: 3 });
      const order = responses.map(({ content }) => content).join(' ');
      return verdict(order === '/a /b /c', order || seen);
    },
  },
  ...[0, 300_000].map((bytes): ConformanceCase => ({
    id: `pipeline-unread-${bytes}`,
    title: `A pipeline with ${bytes} bytes of content whose answers are read late is served, and what comes after it`,
    reference: 'RFC 9112 9.3.2',
    run: async (bench) => {
      const upload = 'x'.repeat(bytes);
      const answer = 'y'.repeat(12_000_000);
      bench.script(({ peer, message, path }) => {
        const respond = (): void => peer.send(okResponse(path === '/a' ? answer : path));
        void peer.changes.until(() => message.complete || peer.gone, PATIENCE_MS).then(respond);
      });
      const client = await bench.client();
      client.send('GET /a HTTP/1.1\r\nHost: app.test\r\n\r\n');
      await client.until('HTTP/1.1');
      client.socket.pause();
      await settled(() => bench.upstream.requests[0]?.peer.socket.writableLength ?? 0);
      client.send(`POST /b HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${upload.length}\r\n\r\n${upload}`);
      client.send('GET /c HTTP/1.1\r\nHost: app.test\r\n\r\n');
      await settled(() => client.socket.writableLength);
      client.socket.resume();
      // Only near the end: each look makes one text of all that came.
      const over = (): boolean => client.received.length > answer.length && client.received.endsWith('/c');
      const whole = await client.changes.until(() => client.gone || over(), 2 * PATIENCE_MS);
      // And the connection serves whatever comes next.
      client.send('GET /d HTTP/1.1\r\nHost: app.test\r\n\r\n');
      const next = await client.changes.until(() => client.gone || client.received.endsWith('/d'), PATIENCE_MS);
      const [, posted] = bench.upstream.requests;
      const inOrder =
        whole &&
        next &&
        /yHTTP\/1\.1 200 [^y]*\/bHTTP\/1\.1 200 [^y]*\/cHTTP\/1\.1 200 [^y]*\/d$/.test(client.received);
      const seen = client.gone ? 'closed' : `${client.received.length} bytes, open`;
      return verdict(inOrder && posted?.message.content === upload, seen);
    },
  })),
];
