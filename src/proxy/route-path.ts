/** An escaped unreserved character: RFC 3986 section 6.2.2.2 counts it as the character itself. */
const ESCAPED = /%([2-7][0-9a-f])/gi;
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
/** Whether a path has anything to normalise; most have not. */
const SUSPECT = /%[2-7]|\/\.|\/\//;

/**
 * The path that routes are compared with. The request itself goes on as the client wrote it.
 *
 * An upstream reads `/x/../api`, `/%61pi` and `//api` as `/api`, so they must find the same route as `/api` does:
 * unreserved characters are unescaped, empty segments dropped and dot segments resolved (RFC 3986 section 5.2.4).
 * `%2F` stays what it is: it is no segment border.
 */
export function routePath(target: string): string {
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  if (!path.startsWith('/')) return '/';
  return SUSPECT.test(path) ? normalise(path) : path;
}

function normalise(path: string): string {
  const unescaped = path.replace(ESCAPED, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : escape;
  });
  const kept: string[] = [];
  const segments = unescaped.split('/');
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const last = segments.at(-1);
  const isFolder = last === '' || last === '.' || last === '..';
  return `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`;
}
