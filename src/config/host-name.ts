import { domainToASCII } from 'node:url';
import { Unacceptable } from './parsed-type.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function isDnsLabel(text: string): boolean {
  return LABEL.test(text);
}

/** A host name in lower case and ASCII (names in other scripts become punycode), without a dot at its end. */
export function parseHostName(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Unacceptable('must be a host name');
  if (value.includes('://')) throw new Unacceptable('must be a host name, without a scheme or a path');
  if (value.includes(':')) throw new Unacceptable('must be a host name without a port');
  const text = value.toLowerCase().replace(/\.$/, '');
  // domainToASCII repairs more than case ("a%62c", "a b"), so only names with other scripts go through it.
  const name = /^[\x21-\x7e]+$/.test(text) ? text : domainToASCII(text);
  if (name.length > 253 || !name.split('.').every(isDnsLabel)) {
    throw new Unacceptable(
      'is not a host name: labels have 1 to 63 letters, digits or hyphens (not at an end), with a dot between them',
    );
  }
  return name;
}
