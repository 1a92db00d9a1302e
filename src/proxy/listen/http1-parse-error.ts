import type { RefusedRequest } from './request-rules.ts';
import { refuse } from './request-rules.ts';

/** What node:http hands to `clientError`. */
export interface Http1ParseError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

const URL_STILL_RUNNING = /^[A-Z]+ [^\s]+$/;
const FOREIGN_VERSION = / HTTP\/(?!1\.[01]\r\n)[0-9]+(\.[0-9]+)?\r\n/;

/** The answer to bytes that were no request; the connection ends with it. */
export function refusalOf({ code, rawPacket }: Http1ParseError): RefusedRequest {
  const received = rawPacket?.toString('latin1') ?? '';
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse(408, 'request_timeout', 'The request head did not arrive in time.', true);
    case 'HPE_HEADER_OVERFLOW':
      // The parser does not say which part was too long. A packet in the middle of a head may belong to a field as well.
      return URL_STILL_RUNNING.test(received)
        ? refuse(414, 'url_too_long', 'The URL is too long.', true)
        : refuse(431, 'headers_too_large', 'The request line and the header fields are too large together.', true);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refuse(413, 'chunk_extensions_too_large', 'The chunk extensions are too large.', true);
    case 'HPE_PAUSED_H2_UPGRADE':
      return refuse(505, 'http_version_not_supported', 'HTTP/2 is spoken here only when agreed on by ALPN.', true);
    case 'HPE_INVALID_VERSION':
      if (FOREIGN_VERSION.test(received)) {
        return refuse(505, 'http_version_not_supported', 'This HTTP version is not spoken here.', true);
      }
      break;
  }
  return refuse(400, 'bad_request', 'The bytes received are not a valid HTTP/1.1 request.', true);
}
