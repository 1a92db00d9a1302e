import type { Authority } from './authority.ts';
import { parseAuthority } from './authority.ts';

/** The request target of HTTP/1 in the forms of RFC 9112 3.2 that a reverse proxy can serve. */
export type RequestTarget =
  | { readonly form: 'origin' | 'asterisk'; readonly target: string }
  | {
      readonly form: 'absolute';
      readonly target: string;
      readonly scheme: 'http' | 'https';
      readonly authority: Authority;
    }
  | { readonly form: 'invalid'; readonly why: string };

/** Control characters and space end a line or a word further on; '#' never travels (RFC 9112 3.2). */
// eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const NEVER_IN_A_TARGET = /[\u0000-\u0020\u007f#]/;

const ABSOLUTE = /^(https?):\/\/([^/?]*)(.*)$/i;

/** Reads what stood between the method and the version. */
export function parseTarget(method: string, url: string): RequestTarget {
  if (NEVER_IN_A_TARGET.test(url)) return invalid('it contains a control character, a space or a fragment');
  if (url === '*') {
    return method === 'OPTIONS' ? { form: 'asterisk', target: '*' } : invalid('"*" is for OPTIONS only');
  }
  if (!url.startsWith('/')) return parseAbsolute(method, url);
  return pathHasBackslash(url) ? invalid('its path contains a backslash') : { form: 'origin', target: url };
}

function parseAbsolute(method: string, url: string): RequestTarget {
  const match = ABSOLUTE.exec(url);
  if (match === null) return invalid('it is neither a path nor an http or https URL');
  const [, scheme = '', authorityText = '', rest = ''] = match;
  const authority = parseAuthority(authorityText);
  if (authority === undefined) return invalid('its host is not valid');
  if (pathHasBackslash(rest)) return invalid('its path contains a backslash');
  const target = originForm(method, rest);
  return { form: 'absolute', target, scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http', authority };
}

/** RFC 9112 3.2.4: OPTIONS for a URL without path and query means the server as a whole. */
function originForm(method: string, rest: string): string {
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Some servers read a backslash in a path as a slash, which would make our route and theirs differ; queries are opaque. */
function pathHasBackslash(url: string): boolean {
  const backslash = url.indexOf('\\');
  if (backslash === -1) return false;
  const query = url.indexOf('?');
  return query === -1 || backslash < query;
}

function invalid(why: string): RequestTarget {
  return { form: 'invalid', why };
}
