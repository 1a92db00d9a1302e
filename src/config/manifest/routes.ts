import type { z } from 'zod';
import { parseHostName } from '../host-name.ts';
import { chosenBy, parsedBy, Unacceptable } from '../parsed-type.ts';
import { port } from './port.ts';
import { strictFields } from './strict-fields.ts';

/** A route whose port may still be the service's. */
export interface ParsedRoute {
  readonly host: string;
  readonly path: string;
  readonly port?: number | undefined;
}

/** The host of a route as a full name: 'app' and '*.preview' are below the domain, '@' is the domain, a dotted name is itself. */
function parseRouteHost(value: unknown, domain: string): string {
  if (value === undefined) throw new Unacceptable('is undefined; is a variable of .env misspelled?');
  if (value === '@') return domain;
  if (typeof value !== 'string') throw new Unacceptable("must be a host: 'app', 'api.example.com', '*.preview' or '@'");
  if (value === '*') return `*.${domain}`;
  const wildcard = value.startsWith('*.');
  const rest = wildcard ? value.slice(2) : value;
  if (rest.includes('*')) throw new Unacceptable("may have one '*', as its whole first label: '*.preview'");
  const name = parseHostName(rest);
  const full = name.includes('.') ? name : parseHostName(`${name}.${domain}`);
  return wildcard ? `*.${full}` : full;
}

/** A prefix, '/' or without a slash at its end. Whatever an upstream could read as another path is refused. */
function parseRoutePath(value: unknown): string {
  if (typeof value !== 'string' || !value.startsWith('/'))
    throw new Unacceptable("must be a path that starts with '/'");
  if (!/^[\w/.~!$&'()*+,;=:@%-]+$/.test(value) || /%(?![0-9a-f]{2})|%(2e|2f|5c|00|25)/i.test(value)) {
    throw new Unacceptable('must be a URL path as it goes over the wire, without query, encoded slash or dot');
  }
  const path = value.length > 1 ? value.replace(/\/$/, '') : value;
  if (
    path !== '/' &&
    path
      .slice(1)
      .split('/')
      .some((segment) => ['', '.', '..'].includes(segment))
  ) {
    throw new Unacceptable("must not hold '//', '.' or '..' segments");
  }
  return path;
}

/** The type of one entry of `routes`. */
export function routeType(domain: string): z.ZodType<ParsedRoute> {
  const host = parsedBy((value) => parseRouteHost(value, domain));
  const full = strictFields({ host, path: parsedBy(parseRoutePath).default('/'), port: port.optional() });
  const short = host.transform((name) => ({ host: name, path: '/' }));
  return chosenBy<ParsedRoute>((value) => (typeof value === 'object' && value !== null ? full : short));
}
