import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { FieldNames } from '../exchange/field-names.ts';
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts';
import type { UpstreamHead } from './upstream-head.ts';
import type { Via } from './via.ts';

export interface ResponseFieldOptions {
  readonly extra: RawHeaders;
  readonly via: Via;
  /** The client will be given the trailers, if there are any. */
  readonly announcesTrailers: boolean;
}

/** Those that an upstream has no say in, or not always. */
const HELD_BACK = new FieldNames(`content-length trailer x-request-id ${HOP_BY_HOP}`);

/** The fields of a final response for the client; Content-Length only as the number that was verified. */
export function responseFields(head: UpstreamHead, exchange: ClientExchange, options: ResponseFieldOptions): string[] {
  const fields = endToEndFields(head, options.announcesTrailers);
  // RFC 9110 15.3.6: 205 has no content, which has to be said.
  if (head.status === 205) fields.push('Content-Length', '0');
  for (const part of options.extra) fields.push(part);
  fields.push('Via', options.via[head.protocolVersion], 'X-Request-Id', exchange.requestId);
  return fields;
}

/** The fields of the 101 to a WebSocket handshake. */
export function switchingFields(head: UpstreamHead, extra: RawHeaders, via: Via, requestId: string): string[] {
  const own = ['Via', via[head.protocolVersion], 'X-Request-Id', requestId];
  return [...endToEndFields(head, false), ...extra, ...own, 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
}

/** The fields of an interim response: it has neither content nor anything of ours. */
export function interimFields(head: UpstreamHead): string[] {
  return endToEndFields(head, false);
}

function endToEndFields({ status, rawHeaders, connection }: UpstreamHead, keepsTrailer: boolean): string[] {
  const nominated = nominatedFields(connection);
  // RFC 9110 8.6: 1xx and 204 have no length.
  const dropsLength = status < 200 || status === 204 || status === 205;
  const fields: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const known = HELD_BACK.find(name);
    if (known !== undefined && isDropped(known, dropsLength, keepsTrailer)) continue;
    if (nominated?.has(name.toLowerCase()) === true) continue;
    fields.push(name, rawHeaders[at + 1] ?? '');
  }
  return fields;
}

function isDropped(known: string, dropsLength: boolean, keepsTrailer: boolean): boolean {
  if (known === 'content-length') return dropsLength;
  return known === 'trailer' ? !keepsTrailer : true;
}
