import type { RawHeaders } from '../exchange/client-exchange.ts';
import { FieldNames } from '../exchange/field-names.ts';
import { HOP_BY_HOP, neverNominated } from './hop-by-hop.ts';

/** RFC 9110 6.5.1: what frames, routes, authenticates or controls a message may not come after its content. */
const FORBIDDEN = new FieldNames(
  'age authorization cache-control cookie date expect expires forwarded host location max-forwards pragma range ' +
    `retry-after set-cookie trailer vary via warning www-authenticate x-real-ip x-request-id ${HOP_BY_HOP}`,
);

/**
 * The trailer fields that may be passed on; digests and checksums of the content are among them.
 * @param nominated what Connection names, lower case
 */
export function trailerFields(received: RawHeaders, nominated?: ReadonlySet<string>): string[] {
  const fields: string[] = [];
  for (let at = 0; at + 1 < received.length; at += 2) {
    const name = received[at] ?? '';
    const lower = name.toLowerCase();
    if (FORBIDDEN.has(lower) || lower.startsWith(':') || nominated?.has(lower) === true) continue;
    if (neverNominated(lower) && lower !== 'content-md5' && lower !== 'content-digest') continue;
    fields.push(name, received[at + 1] ?? '');
  }
  return fields;
}
