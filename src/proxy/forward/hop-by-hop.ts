import type { RawHeaders } from '../exchange/client-exchange.ts';
import { listMembers } from '../exchange/field-values.ts';

/** RFC 9110 7.6.1: fields of one connection, whether Connection names them or not. */
const HOP_BY_HOP = new Set(
  (
    'connection keep-alive proxy-connection te transfer-encoding upgrade http2-settings ' +
    'proxy-authenticate proxy-authorization proxy-authentication-info'
  ).split(' '),
);

export const HOP_BY_HOP_LENGTHS: readonly number[] = [...HOP_BY_HOP].map((name) => name.length);

const PROTECTED = new Set(
  'host authorization cookie set-cookie forwarded via x-real-ip x-request-id cache-control date location'.split(' '),
);

/** @param name lower case */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** A peer may not have these removed by naming them in Connection: whoever comes next relies on them. */
export function neverNominated(name: string): boolean {
  return PROTECTED.has(name) || name.startsWith('content-') || name.startsWith('x-forwarded-');
}

/** The fields that Connection names and that may be removed for it, lower case; undefined when there is none. */
export function nominatedFields(rawHeaders: RawHeaders): ReadonlySet<string> | undefined {
  let nominated: Set<string> | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const option of listMembers(rawHeaders[at + 1] ?? '')) {
      if (option === 'keep-alive' || option === 'close' || isHopByHop(option) || neverNominated(option)) continue;
      nominated ??= new Set();
      nominated.add(option);
    }
  }
  return nominated;
}
