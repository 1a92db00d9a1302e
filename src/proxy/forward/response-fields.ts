import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { HOP_BY_HOP_LENGTHS, isHopByHop, nominatedFields } from './hop-by-hop.ts';
import type { UpstreamHead } from './response-head-parser.ts';

export interface ResponseFieldOptions {
  readonly extra: RawHeaders;
  readonly via: string;
  /** The client will be given the trailers, if there are any. */
  readonly announcesTrailers: boolean;
}

/** Content-Length, Trailer, X-Request-Id and those of one connection: the other fields are spared the comparison. */
const LOOKED_AT_LENGTHS = new Set([14, 7, 12, ...HOP_BY_HOP_LENGTHS]);

/** The fields of a final response for the client; Content-Length only as the number that was verified. */
export function responseFields(head: UpstreamHead, exchange: ClientExchange, options: ResponseFieldOptions): string[] {
  const fields = endToEndFields(head, options.announcesTrailers);
  // RFC 9110 15.3.6: 205 has no content, which has to be said.
  if (head.status === 205) fields.push('Content-Length', '0');
  for (const part of options.extra) fields.push(part);
  fields.push('Via', `${head.protocolVersion} ${options.via}`, 'X-Request-Id', exchange.requestId);
  return fields;
}

/** The fields of the 101 to a WebSocket handshake. */
export function switchingFields(head: UpstreamHead, extra: RawHeaders, via: string, requestId: string): string[] {
  const own = ['Via', `${head.protocolVersion} ${via}`, 'X-Request-Id', requestId];
  return [...endToEndFields(head, false), ...extra, ...own, 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
}

/** The fields of an interim response: it has neither content nor anything of ours. */
export function interimFields(head: UpstreamHead): string[] {
  return endToEndFields(head, false);
}

function endToEndFields({ status, rawHeaders }: UpstreamHead, keepsTrailer: boolean): string[] {
  const nominated = nominatedFields(rawHeaders);
  // RFC 9110 8.6: 1xx and 204 have no length.
  const dropsLength = status < 200 || status === 204 || status === 205;
  const fields: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (nominated !== undefined || LOOKED_AT_LENGTHS.has(name.length)) {
      const lower = name.toLowerCase();
      if (nominated?.has(lower) === true || isDropped(lower, dropsLength, keepsTrailer)) continue;
    }
    fields.push(name, rawHeaders[at + 1] ?? '');
  }
  return fields;
}

function isDropped(lowerName: string, dropsLength: boolean, keepsTrailer: boolean): boolean {
  if (lowerName === 'content-length') return dropsLength;
  if (lowerName === 'trailer') return !keepsTrailer;
  return lowerName === 'x-request-id' || isHopByHop(lowerName);
}
