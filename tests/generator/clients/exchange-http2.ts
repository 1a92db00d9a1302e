import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { drained } from '../drained.ts';
import { hosts } from '../hosts.ts';
import { toHeaders } from '../http2-fields.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { readAs } from '../slow-reader.ts';
import { turns } from '../turns.ts';
import { nothingSeen, type ClientSaw } from './client-saw.ts';
import { LEAVES_WITHIN_BYTES } from './exchange-alone.ts';
import { leave, watchStream } from './watch-stream.ts';

/** One exchange as a stream of its own. */
export async function exchangeHttp2(session: ClientHttp2Session, plan: ExchangePlan): Promise<ClientSaw> {
  const { request, client } = plan;
  const saw = nothingSeen();
  const endStream = request.framing === 'none';
  const waitForTrailers = request.trailers.length > 0;
  const stream = session.request(headersOf(plan), { endStream, waitForTrailers });
  const leavesAt = client.leaves?.during === 'response' ? client.leaves.at * LEAVES_WITHIN_BYTES : Infinity;
  const closed = watchStream(stream, saw, () => {
    if (saw.status !== undefined && saw.content.length >= leavesAt && !saw.complete) leave(stream, saw);
  });
  readAs(client.reading, stream);
  if (waitForTrailers) stream.on('wantTrailers', () => stream.sendTrailers(toHeaders(request.trailers)));
  if (!endStream) await send(stream, plan, saw);
  else if (client.leaves?.during === 'request') leave(stream, saw);
  await closed;
  return saw;
}

async function send(stream: ClientHttp2Stream, { request, client, pieces }: ExchangePlan, saw: ClientSaw) {
  const leaves = client.leaves?.during === 'request';
  const parts = leaves ? request.parts.slice(0, Math.floor(client.leaves.at * request.parts.length)) : request.parts;
  for (const part of parts) {
    if (stream.destroyed || stream.closed) return;
    // As bytes: Node frees texts before they have left.
    if (!stream.write(Buffer.from(part, 'latin1'))) await drained(stream);
    if (pieces > 1) await turns(1);
  }
  if (leaves) leave(stream, saw);
  else if (!stream.destroyed) stream.end();
}

function headersOf({ request, upstream }: ExchangePlan): OutgoingHttpHeaders {
  const { method, path, fields, framing, parts, expectsContinue, takesTrailers } = request;
  const length = framing === 'length' ? { 'content-length': String(parts.join('').length) } : {};
  return {
    ...{ ':authority': hosts[upstream.http], ':method': method, ':path': path },
    ...toHeaders(fields),
    ...length,
    ...(expectsContinue && { expect: '100-continue' }),
    ...(takesTrailers && { te: 'trailers' }),
  };
}
