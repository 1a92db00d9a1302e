import type { CaseBench } from '../rig/case-bench.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';
import { valuesOf } from '../rig/http1-reader.ts';

/** The fields that reach the upstream, asked for by name. */
async function received(bench: CaseBench, lines: string): Promise<(name: string) => string> {
  await bench.exchange(`GET / HTTP/1.1\r\nHost: app.test\r\n${lines}\r\n`);
  const [request] = bench.upstream.requests;
  return (name) => (request === undefined ? 'no request' : valuesOf(request.message, name).join(' | '));
}

const FORGED =
  'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n';

const HOP_BY_HOP = ['Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive', 'TE: gzip', 'Upgrade: h2c'];

export const requestFields: readonly ConformanceCase[] = [
  {
    id: 'nominated-removed',
    title: 'A field that Connection names is removed',
    reference: 'RFC 9110 7.6.1',
    run: async (bench) => {
      const of = await received(bench, 'Connection: x-a, close\r\nX-A: 1\r\nX-B: 2\r\n');
      return verdict(of('x-a') === '' && of('x-b') === '2', `X-A: ${of('x-a') || 'gone'}, X-B: ${of('x-b') || 'gone'}`);
    },
  },
  {
    id: 'nominated-protected',
    title: 'A client cannot have Host, Authorization, Cookie, Content-Type or X-Forwarded-For removed by naming them',
    reference: 'RFC 9110 7.6.1; scenario 11',
    run: async (bench) => {
      const names = ['host', 'authorization', 'cookie', 'content-type', 'x-forwarded-for'];
      const lines = 'Authorization: Basic x\r\nCookie: s=1\r\nContent-Type: text/x\r\n';
      const of = await received(bench, `Connection: ${names.join(', ')}\r\n${lines}`);
      const gone = names.filter((name) => of(name) === '');
      return verdict(
        gone.length === 0 && of('host') !== 'no request',
        gone.length === 0 ? `Host: ${of('host')}` : `gone: ${gone.join(', ')}`,
      );
    },
  },
  {
    id: 'hop-by-hop-request',
    title: 'The fields of one connection do not travel, named or not',
    reference: 'RFC 9110 7.6.1',
    run: async (bench) => {
      const of = await received(bench, `Connection: keep-alive\r\n${HOP_BY_HOP.join('\r\n')}\r\n`);
      const left = ['keep-alive', 'proxy-connection', 'te', 'upgrade'].filter((name) => of(name) !== '');
      return verdict(left.length === 0, left.length === 0 ? 'gone' : `passed on: ${left.join(', ')}`);
    },
  },
  {
    id: 'max-forwards-counted',
    title: 'Max-Forwards of an OPTIONS is one less behind the proxy',
    reference: 'RFC 9110 7.6.2',
    run: async (bench) => {
      await bench.exchange('OPTIONS / HTTP/1.1\r\nHost: app.test\r\nMax-Forwards: 5\r\n\r\n');
      const [request] = bench.upstream.requests;
      const count = request === undefined ? 'no request' : valuesOf(request.message, 'max-forwards').join(' | ');
      return verdict(count === '4', count);
    },
  },
  {
    id: 'max-forwards-ends',
    title: 'An OPTIONS that may pass no proxy is answered by the proxy',
    reference: 'RFC 9110 7.6.2',
    run: async (bench) => {
      const { seen } = await bench.exchange('OPTIONS / HTTP/1.1\r\nHost: app.test\r\nMax-Forwards: 0\r\n\r\n');
      const passed = bench.upstream.requests.length > 0;
      return verdict(!passed && seen.startsWith('200'), passed ? 'passed on' : seen);
    },
  },
  {
    id: 'max-forwards-unknown-host',
    title: 'An OPTIONS that may pass no proxy is refused for a host that nobody has',
    reference: 'RFC 9110 7.6.2; scenario 8',
    run: async (bench) => {
      const { seen } = await bench.exchange('OPTIONS / HTTP/1.1\r\nHost: nosuch.test\r\nMax-Forwards: 0\r\n\r\n');
      return verdict(bench.upstream.requests.length === 0 && seen.startsWith('4'), seen);
    },
  },
  {
    id: 'httpoxy',
    title: 'The field Proxy does not travel',
    reference: 'CVE-2016-5385',
    run: async (bench) => {
      const of = await received(bench, 'Proxy: http://evil/\r\n');
      return verdict(of('proxy') === '', of('proxy') || 'gone');
    },
  },
  {
    id: 'forwarded-untrusted',
    title: 'An untrusted client does not say where its request came from',
    reference: 'RFC 7239 8.1; scenario 10',
    run: async (bench) => {
      const of = await received(bench, FORGED);
      const names = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'x-real-ip'];
      const forged = names.filter((name) => /6\.6\.6\.6|gopher|evil/.test(of(name)));
      return verdict(
        forged.length === 0,
        forged.length === 0 ? `X-Forwarded-For: ${of('x-forwarded-for')}` : `believed: ${forged.join(', ')}`,
      );
    },
  },
  {
    id: 'forwarded-underscore',
    title: 'A forged X_Forwarded_For, which many servers read as the real one, does not travel',
    reference: 'RFC 3875 4.1.18',
    run: async (bench) => {
      const of = await received(bench, 'X_Forwarded_For: 6.6.6.6\r\n');
      return verdict(of('x_forwarded_for') === '', of('x_forwarded_for') || 'gone');
    },
  },
  {
    id: 'forwarded-trusted',
    title: 'What a trusted proxy says is kept and added to',
    reference: 'RFC 7239 4; scenario 10',
    settings: { trusted: true },
    run: async (bench) => {
      const of = await received(bench, FORGED);
      return verdict(/^6\.6\.6\.6( \||,) ?127\.0\.0\.1$/.test(of('x-forwarded-for')), of('x-forwarded-for'));
    },
  },
  {
    id: 'fields-kept',
    title: 'End-to-end fields keep their values, order and duplicates',
    reference: 'RFC 9110 5.3',
    run: async (bench) => {
      const of = await received(bench, 'X-A: 1\r\nX-B: b, c\r\nX-A: 2\r\nCookie: a=1; b=2\r\n');
      const isRight =
        of('x-a').replaceAll(' | ', ', ') === '1, 2' && of('x-b') === 'b, c' && of('cookie') === 'a=1; b=2';
      return verdict(isRight, `X-A: ${of('x-a')}`);
    },
  },
  {
    id: 'via',
    title: 'The proxy names itself in Via',
    reference: 'RFC 9110 7.6.3',
    run: async (bench) => {
      const of = await received(bench, 'Via: 1.1 edge\r\n');
      return verdict(/^1\.1 edge( \||,) 1\.1 \S+$/.test(of('via')), of('via') || 'none');
    },
  },
  {
    id: 'te-trailers',
    title: 'TE: trailers reaches the upstream as a wish of that connection, or not at all',
    reference: 'RFC 9110 10.1.4',
    run: async (bench) => {
      const of = await received(bench, 'TE: trailers\r\nConnection: TE\r\n');
      return verdict(
        of('te') === '' || (of('te') === 'trailers' && /te/i.test(of('connection'))),
        `TE: ${of('te') || 'gone'}`,
      );
    },
  },
];
