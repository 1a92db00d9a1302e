import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { fieldValue, listMembers } from '../exchange/field-values.ts';
import { forwardedLines, isForwardedField } from './forwarded-fields.ts';
import { isHopByHop, nominatedFields } from './hop-by-hop.ts';

/** How the content of a request goes to the upstream; decided by us, never copied. */
export type RequestFraming =
  { readonly kind: 'none' } | { readonly kind: 'length'; readonly length: number } | { readonly kind: 'chunked' };

export interface RequestHeadOptions {
  readonly framing: RequestFraming;
  readonly expectsContinue: boolean;
  readonly webSocket: boolean;
  /** The peer's word on where the request came from is believed. */
  readonly trusted: boolean;
  readonly via: string;
}

/** Set by us below, meant for us alone, or dangerous: `Proxy` becomes HTTP_PROXY in CGI programs (CVE-2016-5385). */
const OURS = new Set('host content-length expect trailer x-request-id proxy'.split(' '));

/** RFC 9110 8.6: methods whose content is expected announce that there is none. */
const USUALLY_WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH']);

export function requestFraming(exchange: ClientExchange): RequestFraming {
  if (!exchange.hasBody) return { kind: 'none' };
  const length = exchange.header('content-length');
  // The rules of the listener have seen to it that it is one number.
  return length === undefined ? { kind: 'chunked' } : { kind: 'length', length: Number(length) };
}

export function expectsContinue(exchange: ClientExchange): boolean {
  if (!exchange.hasBody || exchange.httpVersion === '1.0') return false;
  return exchange.header('expect')?.toLowerCase() === '100-continue';
}

/** The head as HTTP/1.1 text, with the empty line. */
export function requestHead(exchange: ClientExchange, options: RequestHeadOptions): string {
  const { method, target, authority, requestId, httpVersion } = exchange;
  return (
    `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${endToEndLines(exchange, options.trusted)}` +
    `${forwardedLines(exchange, options.trusted)}X-Request-Id: ${requestId}\r\n` +
    `Via: ${httpVersion === '2' ? '2.0' : httpVersion} ${options.via}\r\n` +
    `${connectionLines(exchange, options)}${framingLines(exchange, options)}\r\n`
  );
}

function endToEndLines(exchange: ClientExchange, trusted: boolean): string {
  const { rawHeaders } = exchange;
  const nominated = nominatedFields(rawHeaders);
  const joinsCookies = exchange.httpVersion === '2';
  let lines = '';
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (OURS.has(lower) || isHopByHop(lower) || nominated?.has(lower) === true) continue;
    if (isForwardedField(lower) && !(trusted && keptFromTrusted(lower))) continue;
    if (joinsCookies && lower === 'cookie') continue;
    lines += `${name}: ${rawHeaders[at + 1] ?? ''}\r\n`;
  }
  return joinsCookies ? lines + cookieLine(rawHeaders) : lines;
}

/** The others are written anew by forwardedLines. */
function keptFromTrusted(name: string): boolean {
  return name === 'x-forwarded-server' || name === 'x-forwarded-ssl';
}

/** RFC 9113 8.2.3: HTTP/2 may split a cookie into crumbs, HTTP/1 may not. */
function cookieLine(rawHeaders: RawHeaders): string {
  const cookie = fieldValue(rawHeaders, 'cookie');
  return cookie === undefined ? '' : `cookie: ${cookie}\r\n`;
}

/** RFC 9110 10.1.4: TE concerns one connection, so that it is ours, and named in Connection. */
function connectionLines(exchange: ClientExchange, { webSocket }: RequestHeadOptions): string {
  if (webSocket) return 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  return acceptsTrailers(exchange) ? 'Connection: TE\r\nTE: trailers\r\n' : '';
}

export function acceptsTrailers(exchange: ClientExchange): boolean {
  const te = exchange.header('te');
  return te !== undefined && listMembers(te).includes('trailers');
}

function framingLines(exchange: ClientExchange, { framing, expectsContinue: waits }: RequestHeadOptions): string {
  const expect = waits ? 'Expect: 100-continue\r\n' : '';
  switch (framing.kind) {
    case 'none':
      return USUALLY_WITH_CONTENT.has(exchange.method) ? 'Content-Length: 0\r\n' : '';
    case 'length':
      return `Content-Length: ${framing.length}\r\n${expect}`;
    case 'chunked': {
      const trailer = exchange.header('trailer');
      return `${trailer === undefined ? '' : `Trailer: ${trailer}\r\n`}Transfer-Encoding: chunked\r\n${expect}`;
    }
  }
}
