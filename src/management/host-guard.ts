import type { FastifyRequest } from 'fastify';
import { SESSION_COOKIE } from './auth.ts';
import { ApiProblem } from './problem.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets only our own pages and programs through. A browser that another site leads here names that site (Origin,
 * Sec-Fetch-Site) or a host that is not ours (DNS rebinding); SameSite cookies alone would not keep out the services,
 * whose hosts are of the same site.
 *
 * @throws ApiProblem `foreign_host`, `foreign_origin`
 */
export function refuseForeign(request: FastifyRequest, adminHost: string): void {
  const { host = '', origin } = request.headers;
  if (hostnameOf(host) !== adminHost) {
    throw new ApiProblem(403, 'foreign_host', `Only ${adminHost} is answered here, not ${JSON.stringify(host)}.`);
  }
  if (origin !== undefined && !isOwnOrigin(origin, host)) throw foreignOrigin(origin);
  const site = request.headers['sec-fetch-site'];
  const fromElsewhere = site === 'cross-site' || site === 'same-site';
  if (fromElsewhere && !isNavigation(request)) throw foreignOrigin(`a page of another site (${site})`);
  // Browsers name the origin of everything that changes something.
  const silent = origin === undefined && request.headers.authorization === undefined;
  if (silent && !SAFE_METHODS.has(request.method) && SESSION_COOKIE in request.cookies)
    throw foreignOrigin('no origin');
}

/** A link to the dashboard may stand anywhere. */
function isNavigation({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function hostnameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

/** Pages are only ever served over HTTPS, whatever lies between. */
function isOwnOrigin(origin: string, host: string): boolean {
  const own = `https://${host}`;
  return URL.canParse(origin) && URL.canParse(own) && new URL(origin).origin === new URL(own).origin;
}

function foreignOrigin(origin: string): ApiProblem {
  return new ApiProblem(403, 'foreign_origin', `Requests from ${origin.slice(0, 200)} are not taken.`);
}
