import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import type { CaseBench } from '../rig/case-bench.ts';
import { verdict, type ConformanceCase, type Verdict } from '../rig/conformance-case.ts';
import { Http2Peer, type Field } from '../rig/http2-peer.ts';
import { okResponse } from '../rig/case-upstream.ts';
import { valuesOf } from '../rig/http1-reader.ts';

const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'app.test'],
  [':path', '/'],
];
const POST: readonly Field[] = [[':method', 'POST'], ...GET.slice(1)];

interface BadHead {
  readonly id: string;
  readonly title: string;
  readonly reference: string;
  readonly fields: readonly Field[];
  readonly content?: string;
  /** It may reach the upstream when it is harmless there. */
  readonly harmless?: (fields: readonly (readonly [string, string])[]) => boolean;
}

const without = (name: string): Field[] => GET.filter(([field]) => field !== name);
const instead = (name: string, value: string): Field[] =>
  GET.map(([field, before]) => [field, field === name ? value : before]);
const lacks = (name: string) => (fields: readonly (readonly [string, string])[]) =>
  !fields.some(([field]) => field.toLowerCase() === name);

const BAD: readonly BadHead[] = [
  {
    id: 'upper-case',
    title: 'A field name in upper case',
    reference: 'RFC 9113 8.2.1',
    fields: [...GET, ['X-Up', '1']],
  },
  {
    id: 'name-space',
    title: 'A field name with a space',
    reference: 'RFC 9113 8.2.1',
    fields: [...GET, ['x a', '1']],
    harmless: lacks('x a'),
  },
  {
    id: 'name-colon',
    title: 'A field name with a colon',
    reference: 'RFC 9113 8.2.1',
    fields: [...GET, ['x:a', '1']],
    harmless: lacks('x:a'),
  },
  {
    id: 'name-crlf',
    title: 'A field name with CR LF',
    reference: 'RFC 9113 8.2.1, 10.3',
    fields: [...GET, ['x: 1\r\ninjected', '1']],
    harmless: lacks('injected'),
  },
  {
    id: 'value-crlf',
    title: 'A field value with CR LF',
    reference: 'RFC 9113 8.2.1, 10.3',
    fields: [...GET, ['x-a', '1\r\ninjected: 1']],
    harmless: lacks('injected'),
  },
  {
    id: 'value-nul',
    title: 'A field value with NUL',
    reference: 'RFC 9113 8.2.1',
    fields: [...GET, ['x-a', '1\u00002']],
    harmless: lacks('x-a'),
  },
  {
    id: 'path-crlf',
    title: 'A path with CR LF',
    reference: 'RFC 9113 8.3.1, 10.3',
    fields: instead(':path', '/ HTTP/1.1\r\ninjected: 1'),
  },
  {
    id: 'path-space',
    title: 'A path with a space',
    reference: 'RFC 9113 8.3.1',
    fields: instead(':path', '/ HTTP/1.1 '),
  },
  { id: 'path-empty', title: 'An empty path', reference: 'RFC 9113 8.3.1', fields: instead(':path', '') },
  {
    id: 'path-relative',
    title: 'A path without its slash',
    reference: 'RFC 9113 8.3.1',
    fields: instead(':path', 'a'),
  },
  { id: 'path-missing', title: 'A missing path', reference: 'RFC 9113 8.3.1', fields: without(':path') },
  { id: 'method-missing', title: 'A missing method', reference: 'RFC 9113 8.3.1', fields: without(':method') },
  {
    id: 'method-crlf',
    title: 'A method with CR LF',
    reference: 'RFC 9113 10.3',
    fields: instead(':method', 'GET / HTTP/1.1\r\ninjected: 1\r\nx:'),
  },
  { id: 'scheme-missing', title: 'A missing scheme', reference: 'RFC 9113 8.3.1', fields: without(':scheme') },
  {
    id: 'authority-user',
    title: 'User information in the authority',
    reference: 'RFC 9113 8.3.1',
    fields: instead(':authority', 'user@app.test'),
  },
  {
    id: 'authority-host',
    title: 'A Host that differs from the authority',
    reference: 'RFC 9113 8.3.1',
    fields: [...GET, ['host', 'other.test']],
    harmless: (fields) => fields.filter(([name]) => name.toLowerCase() === 'host').length === 1,
  },
  { id: 'two-paths', title: 'Two paths', reference: 'RFC 9113 8.3', fields: [...GET, [':path', '/secret']] },
  {
    id: 'pseudo-late',
    title: 'A pseudo field behind a field',
    reference: 'RFC 9113 8.3',
    fields: [...without(':path'), ['x-a', '1'], [':path', '/']],
  },
  {
    id: 'pseudo-unknown',
    title: 'An unknown pseudo field',
    reference: 'RFC 9113 8.3',
    fields: [[':what', '1'], ...GET],
  },
  {
    id: 'pseudo-status',
    title: 'A pseudo field of responses',
    reference: 'RFC 9113 8.3',
    fields: [[':status', '200'], ...GET],
  },
  {
    id: 'connection',
    title: 'A Connection field',
    reference: 'RFC 9113 8.2.2',
    fields: [...GET, ['connection', 'x-a'], ['x-a', '1']],
  },
  {
    id: 'transfer-encoding',
    title: 'A Transfer-Encoding',
    reference: 'RFC 9113 8.2.2, CVE-2021-21295',
    fields: [...POST, ['transfer-encoding', 'chunked']],
    content: '0\r\n\r\nGET /secret HTTP/1.1\r\nHost: app.test\r\n\r\n',
  },
  { id: 'te-gzip', title: 'A TE other than trailers', reference: 'RFC 9113 8.2.2', fields: [...GET, ['te', 'gzip']] },
  {
    id: 'length-short',
    title: 'Content longer than its length',
    reference: 'RFC 9113 8.1.1, CVE-2021-21295',
    fields: [...POST, ['content-length', '2']],
    content: 'okGET /secret HTTP/1.1\r\nHost: app.test\r\n\r\n',
  },
  {
    id: 'length-long',
    title: 'Content shorter than its length',
    reference: 'RFC 9113 8.1.1',
    fields: [...POST, ['content-length', '9']],
    content: 'ok',
  },
  {
    id: 'lengths-two',
    title: 'Two lengths',
    reference: 'RFC 9113 8.1.1',
    fields: [...POST, ['content-length', '2'], ['content-length', '9']],
    content: 'ok',
  },
  {
    id: 'length-text',
    title: 'A length that is no number',
    reference: 'RFC 9113 8.1.1',
    fields: [...POST, ['content-length', '+2']],
    content: 'ok',
  },
];

async function judge(bench: CaseBench, { fields, content, harmless }: BadHead): Promise<Verdict> {
  bench.script(({ peer, message }) => {
    void peer.changes.until(() => message.complete || peer.gone, PATIENCE_MS).then(() => peer.send(okResponse('ok')));
  });
  const peer = await Http2Peer.open(bench);
  peer.headers(1, fields, content === undefined);
  if (content !== undefined) peer.data(1, content, true);
  await peer.until(() => peer.ended(1) || peer.goaway !== undefined || peer.bytes.gone, PATIENCE_MS);
  await bench.upstream.until(() => bench.upstream.requests.length > 1, 60);
  const { requests, faults } = bench.upstream;
  const seen = peer.describe(1);
  if (faults.length > 0) return verdict(false, `passed on: ${faults[0] ?? ''}`);
  const whole = requests.filter(({ message }) => message.complete);
  const [first] = whole;
  if (requests.length > 1 || requests.some(({ path }) => path === '/secret')) return verdict(false, 'smuggled');
  if (first !== undefined && harmless?.(first.message.fields) !== true) return verdict(false, `served: ${seen}`);
  return verdict(
    peer.ended(1) || peer.goaway !== undefined || peer.bytes.gone,
    first === undefined ? seen : `served without it: ${seen}`,
  );
}

export const http2Requests: readonly ConformanceCase[] = [
  ...BAD.map((one): ConformanceCase => ({
    id: `h2-${one.id}`,
    title: `${one.title} in an HTTP/2 request is refused${one.harmless === undefined ? '' : ', or does not travel'}`,
    reference: one.reference,
    http2: true,
    run: (bench) => judge(bench, one),
  })),
  {
    id: 'h2-cookie-crumbs',
    title: 'The crumbs of an HTTP/2 cookie become one field',
    reference: 'RFC 9113 8.2.3',
    http2: true,
    run: async (bench) => {
      const peer = await Http2Peer.open(bench);
      peer.headers(1, [...GET, ['cookie', 'a=1'], ['cookie', 'b=2']], true);
      await peer.until(() => peer.ended(1), PATIENCE_MS);
      const [request] = bench.upstream.requests;
      const cookies = request === undefined ? [] : valuesOf(request.message, 'cookie');
      return verdict(cookies.join(' | ') === 'a=1; b=2', cookies.join(' | ') || peer.describe(1));
    },
  },
  {
    id: 'h2-content-unknown-length',
    title: 'Content of an HTTP/2 request without a length is framed and whole upstream',
    reference: 'RFC 9113 8.1, RFC 9112 7.1',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer, message }) => {
        void peer.changes.until(() => message.complete, PATIENCE_MS).then(() => peer.send(okResponse('ok')));
      });
      const answer = await bench.ask2({ headers: { ':method': 'POST' }, content: 'hello' });
      const [request] = bench.upstream.requests;
      return verdict(request?.message.complete === true && request.message.content === 'hello', answer.seen);
    },
  },
  {
    id: 'h2-early-answer',
    title: 'An answer to an HTTP/2 upload that goes on arrives whole, and the upload is stopped without an error',
    reference: 'RFC 9113 8.1',
    http2: true,
    run: async (bench) => {
      bench.script(({ peer }) => peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough'));
      const peer = await Http2Peer.open(bench);
      peer.headers(1, [...POST, ['content-length', '100000']], false);
      peer.data(1, 'a'.repeat(1_000), false);
      await peer.until(() => peer.ended(1) && peer.resetOf(1) !== undefined, PATIENCE_MS);
      const isRight = peer.contentOf(1) === 'enough' && (peer.resetOf(1) ?? 0) === 0 && peer.goaway === undefined;
      return verdict(isRight, peer.describe(1));
    },
  },
];
