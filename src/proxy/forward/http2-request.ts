import type { OutgoingHttpHeaders } from 'node:http2';
import type { ClientExchange } from '../exchange/client-exchange.ts';
import { toHttp2Fields } from '../exchange/http2-fields.ts';
import { acceptsTrailers, requestFields } from './request-fields.ts';
import { announcedLength } from './request-framing.ts';
import type { RequestHeadOptions } from './request-head.ts';

/** The head of a request in HTTP/2. The scheme is that of this connection; what the client used is in X-Forwarded-Proto. */
export function http2RequestFields(exchange: ClientExchange, options: RequestHeadOptions): OutgoingHttpHeaders {
  const fields = toHttp2Fields(requestFields(exchange, options));
  const { method, target, authority } = exchange;
  fields[':method'] = method;
  fields[':scheme'] = 'http';
  fields[':authority'] = authority;
  fields[':path'] = target;
  // RFC 9113 8.2.2: the only TE there is. A gRPC server takes its absence for a proxy that drops trailers.
  if (acceptsTrailers(exchange)) fields.te = 'trailers';
  const length = announcedLength(options.framing, method);
  if (length !== undefined) fields['content-length'] = String(length);
  if (options.expectsContinue) fields.expect = '100-continue';
  const trailer = options.framing.kind === 'open' ? exchange.header('trailer') : undefined;
  if (trailer !== undefined) fields.trailer = trailer;
  return fields;
}
