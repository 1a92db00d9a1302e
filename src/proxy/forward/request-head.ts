import type { ClientExchange } from '../exchange/client-exchange.ts';
import type { RequestFieldOptions } from './request-fields.ts';
import { acceptsTrailers, passedFields } from './request-fields.ts';
import type { RequestFraming } from './request-framing.ts';
import { announcedLength } from './request-framing.ts';
import { fieldLines } from '../exchange/field-list.ts';

export interface RequestHeadOptions extends RequestFieldOptions {
  readonly framing: RequestFraming;
  readonly expectsContinue: boolean;
  readonly webSocket: boolean;
}

/** The head as HTTP/1.1 text, with the empty line. @param forwarded what ForwardedLines says of it */
export function requestHead(exchange: ClientExchange, options: RequestHeadOptions, forwarded: string): string {
  const { method, target, authority, requestId } = exchange;
  return (
    `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n` +
    `${fieldLines(passedFields(exchange, options.trusted))}${forwarded}` +
    `X-Request-Id: ${requestId}\r\n${connectionLines(exchange, options)}${framingLines(exchange, options)}\r\n`
  );
}

/** RFC 9110 10.1.4: TE concerns one connection, so that it is ours, and named in Connection. */
function connectionLines(exchange: ClientExchange, { webSocket }: RequestHeadOptions): string {
  if (webSocket) return 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  return acceptsTrailers(exchange) ? 'Connection: TE\r\nTE: trailers\r\n' : '';
}

function framingLines(exchange: ClientExchange, { framing, expectsContinue: waits }: RequestHeadOptions): string {
  const expect = waits ? 'Expect: 100-continue\r\n' : '';
  if (framing.kind === 'open') {
    const trailer = exchange.header('trailer');
    return `${trailer === undefined ? '' : `Trailer: ${trailer}\r\n`}Transfer-Encoding: chunked\r\n${expect}`;
  }
  const length = announcedLength(framing, exchange.method);
  return length === undefined ? expect : `Content-Length: ${length}\r\n${expect}`;
}
