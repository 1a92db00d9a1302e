import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Sessions } from './sessions.ts';

/** The prefix makes browsers refuse it from any other host, also from a service under the same domain. */
export const SESSION_COOKIE = '__Host-reveille';

/** Who asks: whoever knows the token, or a browser that has shown it. `key` tells them apart and is no secret. */
export interface Principal {
  readonly kind: 'token' | 'session';
  readonly key: string;
}

export interface AuthTools {
  readonly token: () => string;
  readonly sessions: Sessions;
}

/** Undefined for who has shown nothing that counts. An Authorization field is the last word: no cookie makes up for a wrong one. */
export function principalOf(request: FastifyRequest, { token, sessions }: AuthTools): Principal | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const given = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
    return given !== undefined && isToken(given, token()) ? { kind: 'token', key: 'token' } : undefined;
  }
  const id = request.cookies[SESSION_COOKIE];
  if (id === undefined || !sessions.has(id)) return undefined;
  return { kind: 'session', key: `session ${sha256(id).toString('base64url')}` };
}

/** Takes equally long for every wrong guess. */
export function isToken(given: string, token: string): boolean {
  return token !== '' && timingSafeEqual(sha256(given), sha256(token));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
