import { isIPv6 } from 'node:net';

/** A host with its optional port, taken apart. */
export interface Authority {
  /** Lower case, without port, brackets kept for IPv6, without a trailing dot. */
  readonly host: string;
  readonly port: number | undefined;
  /** As it was written. */
  readonly text: string;
}

/** Takes apart what one client asks for. Mostly it is what it asked for last, which then is told again. */
export class Authorities {
  #last: Authority | undefined;

  /** @returns undefined as `parseAuthority` does */
  read(text: string): Authority | undefined {
    if (this.#last?.text === text) return this.#last;
    const authority = parseAuthority(text);
    if (authority !== undefined) this.#last = authority;
    return authority;
  }
}

/** Labels of at most 63 characters that neither begin nor end with a hyphen. One expression: every request is asked. */
const NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/;
const PORT = /^[0-9]{1,5}$/;

/**
 * Takes apart `host`, `host:port` or `[ipv6]:port` (RFC 3986 3.2.2), or returns undefined when it is anything else.
 * Narrower than the RFC on purpose: a route can only be a DNS name or an address, so that percent-encoding,
 * user information, lists and sub-delimiters are mistakes or attacks.
 */
export function parseAuthority(text: string): Authority | undefined {
  const colon = text.startsWith('[') ? text.indexOf(':', text.indexOf(']') + 1) : text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  const port = colon === -1 ? undefined : parsePort(text.slice(colon + 1));
  if (port === false) return undefined;
  const host = normalHost(name);
  return host === undefined ? undefined : { host, port, text };
}

/** Undefined for an empty port, which RFC 3986 3.2.3 allows; false for one that is none. */
function parsePort(text: string): number | undefined | false {
  if (text === '') return undefined;
  if (!PORT.test(text)) return false;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : false;
}

function normalHost(name: string): string | undefined {
  if (name.startsWith('[')) {
    const address = name.endsWith(']') ? name.slice(1, -1).toLowerCase() : '';
    // A zone (`%eth0`) means something on one machine only; it has no business in a request.
    return isIPv6(address) && !address.includes('%') ? `[${address}]` : undefined;
  }
  const lower = name.toLowerCase();
  const host = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return host.length <= 253 && NAME.test(host) ? host : undefined;
}
