import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Http1Message } from '../../conformance/rig/http1-reader.ts';
import { H2cUpstream as H2cServer } from '../../support/upstreams/h2c-upstream.ts';
import { drained } from '../drained.ts';
import { toFields, toHeaders } from '../http2-fields.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { readAs } from '../slow-reader.ts';
import { turns } from '../turns.ts';
import { bytesBeforeBreak, responseBytes } from '../wire.ts';
import { answerCall } from './answer-call.ts';
import type { CaseBook } from './case-book.ts';

type SeenRequest = { -readonly [Key in keyof Http1Message]: Http1Message[Key] };

/** Answers exchanges and calls as they are planned, over HTTP/2 without TLS. */
export class H2cUpstream {
  readonly server: H2cServer;
  readonly #book: CaseBook;

  constructor(book: CaseBook) {
    this.#book = book;
    this.server = new H2cServer((stream, raw) => this.#serve(stream, raw));
  }

  /** Streams that are not closed. */
  get openStreams(): number {
    return this.server.streams.filter(({ destroyed }) => !destroyed).length;
  }

  #serve(stream: ServerHttp2Stream, raw: readonly string[]): void {
    const message = requestOf(stream, raw);
    const record = this.#book.note(message.startLine.split(' ')[1] ?? '', message);
    if (record?.plan.kind === 'call') void answerCall(stream, record.plan, record);
    if (record?.plan.kind !== 'exchange') return;
    readAs(record.plan.upstream.reading, stream);
    void answer(stream, record.plan, received(stream, message));
  }
}

function requestOf(stream: ServerHttp2Stream, raw: readonly string[]): SeenRequest {
  const fields = toFields(raw);
  const pseudo = (name: string): string => fields.find(([field]) => field === name)?.[1] ?? '';
  return {
    startLine: `${pseudo(':method')} ${pseudo(':path')} HTTP/1.1`,
    fields: fields.filter(([name]) => !name.startsWith(':')),
    ...{ framing: 'none', content: '', trailers: [], complete: stream.readableEnded },
  };
}

/** Fills the message in as it comes. @returns when no more of it will */
function received(stream: ServerHttp2Stream, message: SeenRequest): Promise<void> {
  stream.on('trailers', (_fields: unknown, _flags: unknown, raw?: readonly string[]) => {
    message.trailers = toFields(raw);
  });
  stream.on('data', (chunk: Buffer) => (message.content += chunk.toString('latin1')));
  return new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.once('end', () => {
      message.complete ||= !stream.aborted;
      resolve();
    });
  });
}

async function answer(stream: ServerHttp2Stream, plan: ExchangePlan, ended: Promise<void>): Promise<void> {
  const { request, response, index } = plan;
  if (request.expectsContinue && index % 2 === 0) stream.additionalHeaders({ ':status': 100 });
  if (response.answersAt === 'end') await ended;
  if (stream.destroyed) return;
  const { interim, head } = responseBytes(plan);
  const bytes = bytesBeforeBreak(plan);
  if (bytes >= interim.length) for (const status of response.interim) stream.additionalHeaders({ ':status': status });
  if (bytes < interim.length + head.length) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const waitForTrailers = response.trailers.length > 0 && request.method !== 'HEAD';
  if (waitForTrailers) stream.on('wantTrailers', () => stream.sendTrailers(toHeaders(response.trailers)));
  stream.respond(headOf(plan), { waitForTrailers });
  await sendContent(stream, plan, bytes - interim.length - head.length);
}

async function sendContent(stream: ServerHttp2Stream, plan: ExchangePlan, bytes: number): Promise<void> {
  const { request, response, upstream, pieces } = plan;
  let left = bytes;
  for (const part of request.method === 'HEAD' ? [] : response.parts) {
    if (stream.destroyed || left <= 0) break;
    // As bytes: Node frees texts before they have left.
    if (!stream.write(Buffer.from(part.slice(0, left), 'latin1'))) await drained(stream);
    left -= part.length;
    if (pieces > 1) await turns(1);
  }
  // Not `close`: that first ends the content, as if all had been said.
  if (upstream.breaks !== undefined) stream.destroy(new Error('The upstream breaks off.'));
  else if (!stream.destroyed) stream.end();
}

function headOf({ response }: ExchangePlan): OutgoingHttpHeaders {
  const { status, fields, framing, parts } = response;
  const length = framing === 'length' || status === 205 ? { 'content-length': String(parts.join('').length) } : {};
  return { ':status': status, ...toHeaders(fields), ...length };
}
