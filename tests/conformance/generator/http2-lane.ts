import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type ConnectionOptions } from 'node:tls';
import { nothingSeen, type ClientSaw } from './client-saw.ts';
import type { ExchangePlan, PlannedFields } from './exchange-plan.ts';
import { HANG_MS } from './plan-upstream.ts';

/** Streams that one session carries before another takes its place. */
const STREAMS_PER_SESSION = 60;

/** A client whose exchanges share HTTP/2 sessions; many may run at once. */
export class Http2Lane {
  readonly #tls: ConnectionOptions;
  readonly #sessions = new Set<ClientHttp2Session>();
  #current: Promise<ClientHttp2Session> | undefined;
  #used = 0;

  constructor(tls: ConnectionOptions) {
    this.#tls = tls;
  }

  async run(plan: ExchangePlan): Promise<ClientSaw> {
    const session = await this.#session();
    const { request, clientBreak } = plan;
    const saw = nothingSeen();
    const endStream = request.framing === 'none';
    const waitForTrailers = request.trailers.length > 0;
    const stream = session.request(headersOf(plan), { endStream, waitForTrailers });
    watch(stream, saw);
    const leaving = clientBreak?.during === 'response' ? Math.floor(clientBreak.at * 2_000) : undefined;
    if (leaving !== undefined) leaveAt(stream, saw, leaving);
    if (waitForTrailers) stream.on('wantTrailers', () => stream.sendTrailers(fieldsOf(request.trailers)));
    const closed = new Promise<void>((resolve) => stream.once('close', resolve));
    if (!endStream) await send(stream, plan, saw);
    else if (clientBreak?.during === 'request') leave(stream, saw);
    const timer = setTimeout(() => {
      saw.hangs = true;
      stream.destroy();
    }, HANG_MS);
    await closed;
    clearTimeout(timer);
    if (stream.rstCode !== 0) saw.complete = false;
    return saw;
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #session(): Promise<ClientHttp2Session> {
    this.#used += 1;
    if (this.#current === undefined || this.#used > STREAMS_PER_SESSION) {
      this.#used = 1;
      this.#current = this.#open();
    }
    return this.#current;
  }

  async #open(): Promise<ClientHttp2Session> {
    const session = connectHttp2('https://app.test', {
      createConnection: () => connect({ ...this.#tls, ALPNProtocols: ['h2'] }),
    });
    session.on('error', () => undefined);
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    await once(session, 'connect');
    return session;
  }
}

function watch(stream: ClientHttp2Stream, saw: ClientSaw): void {
  stream.setEncoding('latin1');
  stream.on('error', () => undefined);
  stream.on('headers', (fields) => saw.interim.push(Number(fields[':status'])));
  stream.on('continue', () => saw.interim.push(100));
  stream.on('response', (fields, _flags, raw?: readonly string[]) => {
    saw.status = fields[':status'];
    saw.fields = paired(raw ?? []);
  });
  stream.on(
    'trailers',
    (_fields: unknown, _flags: unknown, raw?: readonly string[]) => (saw.trailers = paired(raw ?? [])),
  );
  stream.on('data', (text: string) => (saw.content += text));
  stream.on('end', () => (saw.complete = saw.status !== undefined && !saw.left));
}

async function send(stream: ClientHttp2Stream, plan: ExchangePlan, saw: ClientSaw): Promise<void> {
  const { request, clientBreak } = plan;
  const leaves = clientBreak?.during === 'request' ? Math.floor(clientBreak.at * request.parts.length) : undefined;
  const parts = leaves === undefined ? request.parts : request.parts.slice(0, leaves);
  for (const part of parts) {
    if (stream.destroyed || stream.closed) return;
    // As bytes: node:http2 20 has been seen to send the memory of a text that it had freed already.
    if (!stream.write(Buffer.from(part, 'latin1'))) await drained(stream);
    if (plan.pieces > 1) await new Promise((resolve) => setImmediate(resolve));
  }
  if (leaves !== undefined) leave(stream, saw);
  else if (!stream.destroyed) stream.end();
}

function leave(stream: ClientHttp2Stream, saw: ClientSaw): void {
  if (stream.closed) return;
  saw.left = true;
  // Not `close`: that first ends the content, as if all had been said.
  stream.destroy(new Error('The client leaves.'));
}

function leaveAt(stream: ClientHttp2Stream, saw: ClientSaw, bytes: number): void {
  const look = (): void => {
    if (saw.content.length >= bytes && !saw.complete) leave(stream, saw);
  };
  stream.on('response', look);
  stream.on('data', look);
}

function headersOf({ request }: ExchangePlan): OutgoingHttpHeaders {
  const { method, path, fields, framing, parts, expectsContinue, takesTrailers } = request;
  const length = framing === 'length' ? { 'content-length': String(parts.join('').length) } : {};
  return {
    ...{ ':authority': 'app.test', ':method': method, ':path': path },
    ...fieldsOf(fields),
    ...length,
    ...(expectsContinue && { expect: '100-continue' }),
    ...(takesTrailers && { te: 'trailers' }),
  };
}

function fieldsOf(fields: PlannedFields): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of fields) (headers[name] ??= []).push(value);
  return headers;
}

function paired(raw: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) fields.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return fields;
}

function drained(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}
