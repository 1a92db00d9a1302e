import type { PlannedFields } from './exchange-plan.ts';
import type { Random } from './random.ts';

const TOKEN = "abcdefghijklmnopqrstuvwxyz0123456789-_.~!#$%&'*+^`|";
/** RFC 3986 3.4. */
const QUERY = "abcdefghijklmnopqrstuvwxyz0123456789-_.~!$&'()*+,;=:@/?";
const VALUE = `${TOKEN}" ,;=/()[]{}`;
/** RFC 9110 5.5: tabs, and bytes above ASCII. HTTP/2 libraries are not of one mind about them. */
const HTTP1_VALUE = `${VALUE}\t\xe4\xff`;

/** Whether HTTP/1 is spoken all the way, and so everything may travel that it allows. */
export type Way = 'http1' | 'mixed';

/** Some end-to-end fields with any names and values; names may repeat. */
export function planFields(random: Random, way: Way): PlannedFields {
  return random.list(0, 6, () => [`${random.pick(['x', 'X'])}-${token(random, 10)}`, planValue(random, way)] as const);
}

export function planTrailers(random: Random): PlannedFields {
  return random.list(1, 3, (index) => [`x-t${index}-${token(random, 6)}`, planValue(random, 'mixed')] as const);
}

/** Named by Connection, or of the fixed set (RFC 9110 7.6.1). */
export function planHopFields(random: Random): PlannedFields {
  if (!random.chance(0.3)) return [];
  const name = `hop-${token(random, 6)}`;
  return [
    ['Connection', random.chance(0.5) ? `keep-alive, ${name}` : name],
    [name, 'must not travel'],
    ['Keep-Alive', 'timeout=30'],
    ...(random.chance(0.3) ? [['Proxy-Connection', 'keep-alive'] as const] : []),
  ];
}

export function planQuery(random: Random): string {
  return random.chance(0.3) ? `?q=${text(random, QUERY, 12)}` : '';
}

function planValue(random: Random, way: Way): string {
  const most = random.chance(0.05) ? 900 : 24;
  return text(random, way === 'http1' ? HTTP1_VALUE : VALUE, most).trim();
}

function token(random: Random, most: number): string {
  return text(random, TOKEN, most) || 'a';
}

function text(random: Random, characters: string, most: number): string {
  return random.list(0, most, () => characters[random.integer(0, characters.length - 1)] ?? 'a').join('');
}
