import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { okResponse } from '../rig/case-upstream.ts';
import { valuesOf } from '../rig/http1-reader.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';

export const http10: readonly ConformanceCase[] = [
  {
    id: 'http10-no-chunks',
    title: 'A client of HTTP/1.0 gets chunked content without the chunks, and its end by the close',
    reference: 'RFC 9112 6.1, 6.3',
    run: async (bench) => {
      bench.script(({ peer }) =>
        peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n4\r\nmore\r\n0\r\n\r\n'),
      );
      const { client, responses, seen } = await bench.exchange('GET / HTTP/1.0\r\nHost: app.test\r\n\r\n');
      await client.untilGone();
      const coded = responses.some((one) => valuesOf(one, 'transfer-encoding').length > 0);
      return verdict(client.gone && !coded && client.received.endsWith('\r\n\r\nokmore'), seen);
    },
  },
  {
    id: 'http10-upgrade',
    title: 'An upgrade in HTTP/1.0 is ignored',
    reference: 'RFC 9110 7.8',
    run: async (bench) => {
      const { responses, seen } = await bench.exchange(
        'GET / HTTP/1.0\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      );
      const [request] = bench.upstream.requests;
      const passed = request !== undefined && valuesOf(request.message, 'upgrade').length > 0;
      return verdict(responses[0]?.content === 'ok' && !passed, passed ? 'passed on' : seen);
    },
  },
  {
    id: 'http10-upstream',
    title: 'The connection of an answer in HTTP/1.0 carries no second request',
    reference: 'RFC 9112 9.3, C.2.2',
    run: async (bench) => {
      bench.script(({ peer }) => peer.send(okResponse('ok').replace('HTTP/1.1', 'HTTP/1.0')));
      const { responses, seen } = await bench.exchange(`${GET}${GET}`, { responses: 2 });
      const [first, second] = bench.upstream.requests;
      const apart = second !== undefined && first?.peer !== second.peer;
      return verdict(responses.length === 2 && apart, apart ? seen : `${seen}; the same connection`);
    },
  },
];
