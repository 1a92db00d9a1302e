import { parseAuthority } from './authority.ts';
import type { RawHeaders } from '../exchange/client-exchange.ts';
import type { RuleLimits, Verdict } from './request-rules.ts';
import { accept, checkSize, refuse, valuesOf } from './request-rules.ts';
import { parseTarget } from './request-target.ts';

/** RFC 9113 8.2.2: fields that speak of a connection that HTTP/2 does not have. */
const CONNECTION_SPECIFIC = ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'];

/**
 * The rules of RFC 9113 8.2 and 8.3 over the raw header list, pseudo fields included. node:http2 resets the stream
 * itself for most of them (missing or repeated pseudo fields, upper case, connection-specific fields, bad lengths);
 * they are held here as well so that nothing depends on it. Fields with invalid names or values it leaves out of the
 * list without a word: those cannot be told, and do not travel on.
 */
export function checkHttp2(rawHeaders: RawHeaders, limits: RuleLimits): Verdict {
  const method = one(rawHeaders, ':method');
  if (method === 'CONNECT')
    return refuse(501, 'connect_not_supported', 'This is a reverse proxy: it makes no tunnels.');
  const path = one(rawHeaders, ':path');
  if (method === undefined || path === undefined) return malformed('A pseudo field is missing or repeated.');
  if (one(rawHeaders, ':scheme') !== 'https') return malformed(':scheme is not https.');
  const fault = connectionFault(rawHeaders);
  if (fault !== undefined) return malformed(fault);
  return checkSize(path, rawHeaders, limits) ?? checkAddressee(method, path, rawHeaders);
}

function checkAddressee(method: string, path: string, rawHeaders: RawHeaders): Verdict {
  const target = parseTarget(method, path);
  if (target.form === 'invalid') return refuse(400, 'bad_target', `The request target is not valid: ${target.why}.`);
  if (target.form === 'absolute') return refuse(400, 'bad_target', ':path is not a path.');
  const hosts = [...valuesOf(rawHeaders, ':authority'), ...valuesOf(rawHeaders, 'host')];
  const [first] = hosts;
  if (first === undefined) return refuse(400, 'missing_host', 'The request names no host.');
  // RFC 9113 8.3.1: a Host field that differs from :authority makes the request malformed.
  if (hosts.some((host) => host.toLowerCase() !== first.toLowerCase())) {
    return refuse(400, 'bad_host', ':authority and Host name different hosts.');
  }
  const authority = parseAuthority(first);
  return authority === undefined
    ? refuse(400, 'bad_host', ':authority is not a valid host.')
    : accept(authority, target.target);
}

function connectionFault(rawHeaders: RawHeaders): string | undefined {
  const named = CONNECTION_SPECIFIC.find((name) => valuesOf(rawHeaders, name).length > 0);
  if (named !== undefined) return `The field ${named} does not exist in HTTP/2.`;
  const te = valuesOf(rawHeaders, 'te');
  return te.every((value) => value.toLowerCase() === 'trailers') ? undefined : 'The field te may only say "trailers".';
}

function malformed(detail: string): Verdict {
  return refuse(400, 'malformed_request', detail);
}

/** The value of a field that stands there exactly once. */
function one(rawHeaders: RawHeaders, name: string): string | undefined {
  const values = valuesOf(rawHeaders, name);
  return values.length === 1 ? values[0] : undefined;
}
