import type { Authorities, Authority } from './authority.ts';
import type { RawHeaders } from '../exchange/client-exchange.ts';
import { parseTarget } from './request-target.ts';

export interface AcceptedRequest {
  readonly ok: true;
  /** Lower case, without port and trailing dot. */
  readonly host: string;
  /** The host as the client wrote it, with its port. */
  readonly authority: string;
  /** Origin form, or `*`. */
  readonly target: string;
}

export interface RefusedRequest {
  readonly ok: false;
  readonly status: number;
  /** Stable, snake_case. */
  readonly code: string;
  readonly detail: string;
  /** True when nothing that follows on this connection may be trusted. */
  readonly close: boolean;
}

export type Verdict = AcceptedRequest | RefusedRequest;

export interface RuleLimits {
  readonly maxUrlBytes: number;
  readonly maxHeaderFields: number;
}

/** The head of an HTTP/1 request as the parser gives it. */
export interface Http1Head {
  /** `1.1` as in `HTTP/1.1`. */
  readonly httpVersion: string;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: RawHeaders;
}

export function refuse(status: number, code: string, detail: string, close = false): RefusedRequest {
  return { ok: false, status, code, detail, close };
}

/**
 * What the parser of Node lets through is decided here (RFC 9112 2.3, 3.2, 6.1; RFC 9110 5.5, 7.2).
 * @param authorities of the connection
 */
export function checkHttp1(head: Http1Head, limits: RuleLimits, authorities: Authorities): Verdict {
  return (
    checkVersion(head.httpVersion) ??
    checkFraming(head) ??
    checkSize(head.url, head.rawHeaders, limits) ??
    checkAddressee(head, authorities)
  );
}

export function checkSize(url: string, rawHeaders: RawHeaders, limits: RuleLimits): RefusedRequest | undefined {
  if (url.length > limits.maxUrlBytes) {
    return refuse(414, 'url_too_long', `The URL is longer than ${limits.maxUrlBytes} bytes.`);
  }
  if (rawHeaders.length / 2 > limits.maxHeaderFields) {
    return refuse(431, 'too_many_headers', `The request has more than ${limits.maxHeaderFields} header fields.`);
  }
  return undefined;
}

const NONE: readonly string[] = [];

/** Every value of a field, by lower-case name. Begun with the first one: an empty list takes room for 17 by `push`. */
export function valuesOf(rawHeaders: RawHeaders, name: string): readonly string[] {
  let values: string[] | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const field = rawHeaders[at] ?? '';
    if (field.length !== name.length || field.toLowerCase() !== name) continue;
    const value = rawHeaders[at + 1] ?? '';
    if (values === undefined) values = [value];
    else values.push(value);
  }
  return values ?? NONE;
}

function checkVersion(version: string): RefusedRequest | undefined {
  if (version === '1.1' || version === '1.0') return undefined;
  return refuse(505, 'http_version_not_supported', `HTTP/${version} is not spoken here; use HTTP/1.1 or HTTP/2.`, true);
}

/** A request whose end two parsers could see in different places is the stuff of smuggling: refused, connection closed. */
function checkFraming({ httpVersion, rawHeaders }: Http1Head): RefusedRequest | undefined {
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  const lengths = valuesOf(rawHeaders, 'content-length');
  if (lengths.length > 1) return framing('The request has several Content-Length fields.');
  if (lengths.some((length) => !/^[0-9]{1,16}$/.test(length))) return framing('Content-Length is not a number.');
  if (codings.length === 0) return undefined;
  if (httpVersion === '1.0') return framing('Transfer-Encoding does not exist in HTTP/1.0.');
  if (lengths.length > 0) return framing('The request has both Content-Length and Transfer-Encoding.');
  if (codings.length > 1) return framing('The request has several Transfer-Encoding fields.');
  // RFC 9112 6.1 would allow 501 for a coding that is not understood; an unclear frame is worse than an unknown coding.
  if (codings[0]?.toLowerCase() !== 'chunked') return framing('The only Transfer-Encoding understood is "chunked".');
  return undefined;
}

function framing(detail: string): RefusedRequest {
  return refuse(400, 'bad_framing', detail, true);
}

function checkAddressee({ httpVersion, method, url, rawHeaders }: Http1Head, authorities: Authorities): Verdict {
  if (method === 'CONNECT')
    return refuse(501, 'connect_not_supported', 'This is a reverse proxy: it makes no tunnels.', true);
  const target = parseTarget(method, url);
  if (target.form === 'invalid') return refuse(400, 'bad_target', `The request target is not valid: ${target.why}.`);
  const hosts = valuesOf(rawHeaders, 'host');
  if (hosts.length > 1) return refuse(400, 'bad_host', 'The request has several Host fields.', true);
  const field = hosts[0] === undefined ? undefined : authorities.read(hosts[0]);
  if (hosts[0] !== undefined && field === undefined)
    return refuse(400, 'bad_host', 'The Host field is not a valid host.');
  if (field === undefined && httpVersion === '1.1')
    return refuse(400, 'missing_host', 'The request has no Host field.');
  // RFC 9112 3.2.2: the host of an absolute target replaces what the Host field says.
  const authority = target.form === 'absolute' ? target.authority : field;
  if (authority === undefined) return refuse(400, 'missing_host', 'The request names no host.');
  return accept(authority, target.target);
}

export function accept({ host, text }: Authority, target: string): AcceptedRequest {
  return { ok: true, host, authority: text, target };
}
