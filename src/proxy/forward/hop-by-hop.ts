import { FieldNames } from '../exchange/field-names.ts';

/** RFC 9110 7.6.1: fields of one connection, whether Connection names them or not. */
export const HOP_BY_HOP =
  'connection keep-alive proxy-connection te transfer-encoding upgrade http2-settings ' +
  'proxy-authenticate proxy-authorization proxy-authentication-info';

/** Fields of a response that an upstream has no say in, or not always: they are read, and not passed on with the others. */
export const HELD_BACK = `content-length trailer x-request-id ${HOP_BY_HOP}`;

const NAMES = new FieldNames(HOP_BY_HOP);

const PROTECTED = new Set(
  'host authorization cookie set-cookie forwarded via x-real-ip x-request-id cache-control date location'.split(' '),
);

function isHopByHop(name: string): boolean {
  return NAMES.has(name);
}

/** A peer may not have these removed by naming them in Connection: whoever comes next relies on them. @param name lower case */
export function neverNominated(name: string): boolean {
  return PROTECTED.has(name) || name.startsWith('content-') || name.startsWith('x-forwarded-');
}

/**
 * The fields that Connection names and that may be removed for it, lower case; undefined when there is none.
 * @param options those of Connection, lower case
 */
export function nominatedFields(options: readonly string[]): ReadonlySet<string> | undefined {
  let nominated: Set<string> | undefined;
  for (const option of options) {
    if (option === 'keep-alive' || option === 'close' || isHopByHop(option) || neverNominated(option)) continue;
    nominated ??= new Set();
    nominated.add(option);
  }
  return nominated;
}
