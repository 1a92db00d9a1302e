import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { statusOf, valuesOf } from '../rig/http1-reader.ts';

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['two', 'Two Host fields are refused', 'Host: app.test\r\nHost: other.test\r\n'],
  ['missing', 'A request of HTTP/1.1 without Host is refused', ''],
  ['empty', 'An empty Host is refused', 'Host:\r\n'],
  ['user-information', 'A Host with user information is refused', 'Host: user@app.test\r\n'],
  ['list', 'A list of hosts is refused', 'Host: app.test, other.test\r\n'],
  ['port-range', 'A port above 65535 is refused', 'Host: app.test:99999\r\n'],
  ['port-text', 'A port that is no number is refused', 'Host: app.test:8x\r\n'],
  ['path', 'A Host with a path is refused', 'Host: app.test/secret\r\n'],
  ['space', 'A Host with a space is refused', 'Host: app.test evil.test\r\n'],
];

const refused: ConformanceCase[] = REFUSED.map(([id, title, lines]) => ({
  id: `host-${id}`,
  title,
  reference: 'RFC 9112 3.2, RFC 9110 7.2',
  run: async (bench) => {
    const { responses, seen, client } = await bench.exchange(`GET / HTTP/1.1\r\n${lines}\r\n`);
    const [first] = responses;
    const isRefused = first === undefined ? client.gone : statusOf(first) >= 400;
    return verdict(isRefused && bench.upstream.requests.length === 0, seen);
  },
}));

export const hosts: readonly ConformanceCase[] = [
  ...refused,
  {
    id: 'host-absolute-form',
    title: 'The host of an absolute target wins over Host',
    reference: 'RFC 9112 3.2.2',
    run: async (bench) => {
      const { seen } = await bench.exchange('GET http://app.test/a HTTP/1.1\r\nHost: evil.test\r\n\r\n');
      const [request] = bench.upstream.requests;
      const host = request === undefined ? [] : valuesOf(request.message, 'host');
      const line = request?.message.startLine ?? '';
      const isRight = host.join() === 'app.test' && /^GET (http:\/\/app\.test)?\/a /.test(line);
      return verdict(isRight, request === undefined ? seen : `${line}, Host: ${host.join()}`);
    },
  },
  {
    id: 'host-unknown',
    title: 'An unknown host is answered 404 over HTTP/1.1, and nothing is asked',
    reference: 'RFC 9110 15.5.5; scenario 24',
    run: async (bench) => {
      const { responses, seen } = await bench.exchange('GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n');
      const isRight = responses[0] !== undefined && statusOf(responses[0]) === 404;
      return verdict(isRight && bench.upstream.requests.length === 0, seen);
    },
  },
  {
    id: 'host-unknown-h2',
    title: 'An unknown host is answered 404 over HTTP/2, and nothing is asked',
    reference: 'RFC 9110 15.5.5; scenario 24',
    http2: true,
    run: async (bench) => {
      const answer = await bench.ask2({ headers: { ':authority': 'nobody.test' } });
      return verdict(answer.status === 404 && bench.upstream.requests.length === 0, answer.seen);
    },
  },
];
