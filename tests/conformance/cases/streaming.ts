import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { okResponse } from '../rig/case-upstream.ts';
import { statusOf, valuesOf } from '../rig/http1-reader.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
const EXPECT = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
const TRAILED =
  'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n';

export const interim: readonly ConformanceCase[] = [
  {
    id: 'early-hints',
    title: '103 Early Hints reach an HTTP/1.1 client before the answer is there',
    reference: 'RFC 8297, RFC 9110 15.2; scenario 27',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(HINTS));
      const client = await bench.client();
      client.send(GET);
      const came = await client.until('103 Early Hints', PATIENCE_MS);
      bench.upstream.requests[0]?.peer.send(okResponse('ok'));
      const whole = await client.until(/200 OK[^]*ok$/, PATIENCE_MS);
      return verdict(
        came && whole && client.received.includes('</a.css>'),
        came ? '103, then 200' : whole ? '200 only' : 'no answer',
      );
    },
  },
  {
    id: 'early-hints-h2',
    title: '103 Early Hints reach an HTTP/2 client',
    reference: 'RFC 8297; scenario 27',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(`${HINTS}${okResponse('ok')}`));
      const answer = await bench.ask2();
      const hints = answer.interim.map((fields) => String(fields[':status']));
      return verdict(hints.includes('103') && answer.status === 200, [...hints, answer.seen].join(', then '));
    },
  },
  {
    id: 'early-hints-http-1-0',
    title: 'A client of HTTP/1.0 gets only the final answer',
    reference: 'RFC 9110 15.2; scenario 27',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(`${HINTS}${okResponse('ok')}`));
      const { reader, seen } = await bench.exchange('GET / HTTP/1.0\r\nHost: app.test\r\n\r\n');
      return verdict(reader.messages.length === 1 && reader.messages[0]?.content === 'ok', seen);
    },
  },
  ...['417 Expectation Failed', '401 Unauthorized'].map((status): ConformanceCase => ({
    id: `expect-${status.slice(0, 3)}`,
    title: `Content that the upstream refuses with ${status.slice(0, 3)} before 100 is never asked for nor sent`,
    reference: 'RFC 9110 10.1.1; scenario 28',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`));
      const { reader, responses, seen } = await bench.exchange(EXPECT);
      const sent = bench.upstream.requests[0]?.message.content.length ?? 0;
      const isRight = responses[0] !== undefined && statusOf(responses[0]) === Number(status.slice(0, 3));
      return verdict(isRight && reader.messages.length === 1 && sent === 0, seen);
    },
  })),
  {
    id: 'expect-100',
    title: 'A 100 of the upstream is relayed once, and the content follows it',
    reference: 'RFC 9110 10.1.1; scenario 28',
    run: async (bench) => {
      bench.script(({ peer, message }) => {
        if (valuesOf(message, 'expect').length > 0) peer.send('HTTP/1.1 100 Continue\r\n\r\n');
        void peer.changes.until(() => message.complete, PATIENCE_MS).then(() => peer.send(okResponse(message.content)));
      });
      const client = await bench.client();
      client.send(EXPECT);
      const asked = await client.until('100 Continue\r\n\r\n', PATIENCE_MS);
      client.send('hello');
      await client.until(/hello$/, PATIENCE_MS);
      const count = client.received.split('100 Continue').length - 1;
      const isRight = asked && count === 1 && /200 OK[^]*hello$/.test(client.received);
      return verdict(isRight, `${count} times 100, ${client.received.includes('200 OK') ? '200' : 'no answer'}`);
    },
  },
];

export const trailers: readonly ConformanceCase[] = [
  {
    id: 'trailers-response',
    title: 'Trailers of the upstream reach an HTTP/1.1 client that asks for them',
    reference: 'RFC 9110 6.5; scenario 26',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(TRAILED));
      const { responses, seen } = await bench.exchange(
        'GET / HTTP/1.1\r\nHost: app.test\r\nTE: trailers\r\nConnection: TE\r\n\r\n',
      );
      const found = (responses[0]?.trailers ?? []).map(([name, value]) => `${name}: ${value}`);
      return verdict(/x-sum: 7/i.test(found.join()), `${seen}; ${found.join() || 'no trailers'}`);
    },
  },
  {
    id: 'trailers-response-h2',
    title: 'Trailers of the upstream reach an HTTP/2 client',
    reference: 'RFC 9113 8.1, RFC 9110 6.5; scenario 26',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(TRAILED));
      const answer = await bench.ask2({ headers: { te: 'trailers' } });
      return verdict(
        answer.trailers?.['x-sum'] === '7',
        `${answer.seen}; ${answer.trailers === undefined ? 'no trailers' : 'trailers'}`,
      );
    },
  },
  {
    id: 'trailers-request',
    title: 'Trailers of a request reach the upstream, without those that would change its meaning',
    reference: 'RFC 9110 6.5.1',
    run: async (bench) => {
      bench.script(({ peer, message }) => {
        void peer.changes.until(() => message.complete, PATIENCE_MS).then(() => peer.send(okResponse('ok')));
      });
      const { seen } = await bench.exchange(
        'POST / HTTP/1.1\r\nHost: app.test\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\nAuthorization: x\r\nHost: evil\r\n\r\n',
      );
      const found = (bench.upstream.requests[0]?.message.trailers ?? []).map(([name]) => name.toLowerCase());
      return verdict(found.join() === 'x-sum', `${seen}; trailers: ${found.join() || 'none'}`);
    },
  },
  {
    id: 'trailer-field-without-content',
    title: 'A Trailer field in a request without content harms nobody',
    reference: 'RFC 9110 6.6.2; scenario 26',
    run: async (bench) => {
      const { responses, seen } = await bench.exchange('GET / HTTP/1.1\r\nHost: app.test\r\nTrailer: a\r\n\r\n');
      const [request] = bench.upstream.requests;
      return verdict(responses[0]?.content === 'ok' && request?.message.framing === 'none', seen);
    },
  },
  {
    id: 'trailers-endless',
    title: 'Trailers of a request without end are cut',
    reference: 'CWE-770, RFC 9112 7.1.2',
    run: async (bench) => {
      const client = await bench.client();
      client.send('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n');
      for (let count = 0; count < 400; count += 1) client.send(`X-${count}: ${'a'.repeat(1_000)}\r\n`);
      const gone = await client.changes.until(() => client.gone || / 4\d\d /.test(client.received), PATIENCE_MS);
      return verdict(gone, gone ? client.received.slice(9, 12) || 'closed' : '400 KB taken, still open');
    },
  },
  {
    id: 'extensions-endless',
    title: 'Chunk extensions of a request without end are cut',
    reference: 'RFC 9112 7.1.1, CVE-2023-39326',
    run: async (bench) => {
      const client = await bench.client();
      client.send('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let count = 0; count < 400; count += 1) client.send(`1;${'a'.repeat(1_000)}\r\na\r\n`);
      const gone = await client.changes.until(() => client.gone || / 4\d\d /.test(client.received), PATIENCE_MS);
      return verdict(gone, gone ? client.received.slice(9, 12) || 'closed' : '400 KB taken, still open');
    },
  },
];

/** The head of an event stream and its first event. */
const FIRST_EVENT =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n';

export const streams: readonly ConformanceCase[] = [
  {
    id: 'event-stream',
    title: 'An event reaches the client while the stream goes on',
    reference: 'WHATWG HTML 9.2; scenario 29',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(FIRST_EVENT));
      const client = await bench.client();
      client.send(GET);
      const came = await client.until('data: 1', PATIENCE_MS);
      bench.upstream.requests[0]?.peer.send('9\r\ndata: 2\n\n\r\n');
      const next = await client.until('data: 2', PATIENCE_MS);
      return verdict(came && next, came && next ? 'both events' : 'held back');
    },
  },
  {
    id: 'event-stream-death',
    title: 'The death of the upstream ends the stream of the client without a clean end',
    reference: 'RFC 9112 8; scenario 29',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(FIRST_EVENT));
      const client = await bench.client();
      client.send(GET);
      await client.until('data: 1', PATIENCE_MS);
      bench.upstream.requests[0]?.peer.destroy();
      const gone = await client.untilGone();
      return verdict(gone && !client.received.endsWith('0\r\n\r\n'), gone ? 'closed' : 'hangs');
    },
  },
  ...(['before the first byte', 'in the middle of a download'] as const).map((when, index): ConformanceCase => ({
    id: index === 0 ? 'abandoned-early' : 'abandoned-download',
    title: `A client that leaves ${when} takes the upstream request with it`,
    reference: 'RFC 9110 9.1; scenario 7',
    run: async (bench) => {
      bench.script(({ peer }) => {
        if (index === 1) peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin`);
      });
      const client = await bench.client();
      client.send(GET);
      await (index === 1 ? client.until('begin') : bench.upstream.until(() => bench.upstream.requests.length === 1));
      client.destroy();
      const left = await bench.upstream.until(() => bench.upstream.open === 0, PATIENCE_MS);
      return verdict(left, left ? 'upstream connection closed' : 'upstream connection still open after 5 s');
    },
  })),
  {
    id: 'abandoned-upload',
    title: 'A client that leaves in the middle of an upload is no whole request upstream',
    reference: 'RFC 9112 8',
    run: async (bench) => {
      bench.script(() => undefined);
      const client = await bench.client();
      client.send('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      await bench.upstream.until(() => bench.upstream.requests[0]?.message.content === 'hello');
      client.destroy();
      const left = await bench.upstream.until(() => bench.upstream.open === 0, PATIENCE_MS);
      const [request] = bench.upstream.requests;
      return verdict(
        left && request?.message.complete !== true,
        left ? 'cut' : 'upstream connection still open after 5 s',
      );
    },
  },
  {
    id: 'cancelled-h2',
    title: 'A stream that is reset takes its upstream request with it, and no other',
    reference: 'RFC 9113 5.4.2; scenario 7',
    http2: true,
    run: async (bench) => {
      bench.script(() => undefined);
      const session = await bench.http2();
      const streams = ['/a', '/b'].map((path) => session.request({ ':authority': 'app.test', ':path': path }));
      for (const stream of streams) stream.on('error', () => undefined);
      await bench.upstream.until(() => bench.upstream.requests.length === 2);
      streams[0]?.close(8);
      const left = await bench.upstream.until(() => bench.upstream.open === 1, PATIENCE_MS);
      const rest = bench.upstream.requests.find(({ peer }) => !peer.gone);
      return verdict(
        left && rest?.path === '/b',
        left ? `${rest?.path ?? '?'} goes on` : 'upstream connection still open after 5 s',
      );
    },
  },
];
