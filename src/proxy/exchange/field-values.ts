import type { RawHeaders } from './client-exchange.ts';

/** The value of a field by its lower-case name, several joined as RFC 9110 5.3 allows (crumbs of a cookie by '; '). */
export function fieldValue(rawHeaders: RawHeaders, name: string): string | undefined {
  let joined: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const field = rawHeaders[at] ?? '';
    if (field.length !== name.length || field.toLowerCase() !== name) continue;
    const value = rawHeaders[at + 1] ?? '';
    joined = joined === undefined ? value : `${joined}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return joined;
}

/** What most servers say of their connections, again and again. */
const KEEP_ALIVE = ['keep-alive'];

/** The members of a comma-separated list, lower case, without empty ones. */
export function listMembers(value: string): readonly string[] {
  if (value === 'keep-alive') return KEEP_ALIVE;
  // Most lists have one member.
  if (!value.includes(',')) {
    const only = value.trim().toLowerCase();
    return only === '' ? [] : [only];
  }
  const members: string[] = [];
  for (const part of value.split(',')) {
    const member = part.trim().toLowerCase();
    if (member !== '') members.push(member);
  }
  return members;
}
