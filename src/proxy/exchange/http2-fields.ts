import type { OutgoingHttpHeaders } from 'node:http2';
import type { RawHeaders } from './client-exchange.ts';

/** RFC 9113 8.2.2: these speak of a connection that HTTP/2 does not have, and node:http2 throws for them. */
const CONNECTION_SPECIFIC = new Set(
  'connection http2-settings keep-alive proxy-connection te transfer-encoding upgrade'.split(' '),
);

/** node:http2 throws when one of these comes more than once; the first one counts, as browsers read it. */
const SINGLE = new Set(
  (
    'access-control-allow-credentials access-control-max-age access-control-request-method age alt-svc authorization ' +
    'content-encoding content-language content-length content-location content-md5 content-range content-type date dnt etag ' +
    'expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
    'location max-forwards proxy-authorization range referer retry-after tk upgrade-insecure-requests user-agent ' +
    'x-content-type-options'
  ).split(' '),
);

/** The form that node:http2 takes: lower-case names, repeated fields as lists in their order. A TE is the caller's to add. */
export function toHttp2Fields(rawHeaders: RawHeaders): OutgoingHttpHeaders {
  const fields = Object.create(null) as OutgoingHttpHeaders;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (CONNECTION_SPECIFIC.has(name) || name.startsWith(':')) continue;
    const value = rawHeaders[at + 1] ?? '';
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else if (!SINGLE.has(name)) fields[name] = [String(before), value];
  }
  return fields;
}
