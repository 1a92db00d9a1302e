import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { fieldLines, type FieldList } from '../exchange/field-list.ts';
import { nominatedFields } from './hop-by-hop.ts';
import type { UpstreamHead } from './upstream-head.ts';
import type { Via } from './via.ts';

export interface ResponseFieldOptions {
  readonly extra: RawHeaders;
  readonly via: Via;
  /** The client will be given the trailers, if there are any. */
  readonly announcesTrailers: boolean;
}

/** Those of the upstream that go on to the client as they are. */
export function passedFields({ fields, connection }: UpstreamHead, nominated = nominatedFields(connection)): FieldList {
  return nominated === undefined ? fields : fields.without(nominated);
}

/** Those of a final response that come from here, whatever the upstream said; Content-Length only as the number that was verified. */
export function ownFields(head: UpstreamHead, exchange: ClientExchange, options: ResponseFieldOptions): string[] {
  const { status, contentLength, protocolVersion } = head;
  const trailer = head.connection.includes('trailer') ? undefined : head.trailer;
  const fields: string[] = [];
  // RFC 9110 15.3.6: 205 has no content, which has to be said. 8.6: 1xx and 204 have no length.
  if (status === 205) fields.push('Content-Length', '0');
  else if (contentLength !== undefined && status !== 204) fields.push('Content-Length', String(contentLength));
  if (trailer !== undefined && options.announcesTrailers) announce(fields, trailer);
  for (const part of options.extra) fields.push(part);
  fields.push('Via', options.via[protocolVersion], 'X-Request-Id', exchange.requestId);
  return fields;
}

/** Field by field, several may have said something, or nothing: no blank may stand at the end (RFC 9113 8.2.1). */
function announce(fields: string[], trailer: string): void {
  const names = trailer.split(',').flatMap((part) => part.trim() || []);
  if (names.length > 0) fields.push('Trailer', names.join(', '));
}

/** The fields of the 101 to a WebSocket handshake. */
export function switchingLines(head: UpstreamHead, extra: RawHeaders, via: Via, requestId: string): string {
  const own = ['Via', via[head.protocolVersion], 'X-Request-Id', requestId];
  return passedFields(head).lines + fieldLines([...extra, ...own, 'Connection', 'Upgrade', 'Upgrade', 'websocket']);
}
