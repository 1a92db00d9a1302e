import { createHmac, timingSafeEqual } from 'node:crypto';

const COOKIE_PREFIX = 'reveille_instance_';

/** Ties a client to an instance by a cookie that only we can have written. */
export class Affinity {
  readonly #secret: Uint8Array;

  /** @param secret at least 32 random bytes, the same in every proxy process and after a restart. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** The instance that the client's Cookie field names, if the signature is ours. */
  read(service: string, cookieField: string | undefined): string | undefined {
    const name = `${COOKIE_PREFIX}${service}=`;
    const pair = cookieField?.split(';').find((each) => each.trimStart().startsWith(name));
    const value = pair?.trim().slice(name.length);
    const dot = value?.lastIndexOf('.') ?? -1;
    if (value === undefined || dot < 1) return undefined;
    const instanceId = value.slice(0, dot);
    const given = Buffer.from(value.slice(dot + 1));
    const expected = Buffer.from(this.#sign(service, instanceId));
    return given.length === expected.length && timingSafeEqual(given, expected) ? instanceId : undefined;
  }

  /** The value of a Set-Cookie field; a session cookie, so that it ends with the browser. */
  issue(service: string, instanceId: string): string {
    const value = `${instanceId}.${this.#sign(service, instanceId)}`;
    return `${COOKIE_PREFIX}${service}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`;
  }

  #sign(service: string, instanceId: string): string {
    return createHmac('sha256', this.#secret).update(`${service}\0${instanceId}`).digest('base64url').slice(0, 32);
  }
}
