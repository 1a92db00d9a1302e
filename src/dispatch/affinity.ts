import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const COOKIE_PREFIX = 'reveille_instance_';

/** What the cookie of a client says: who it is to us, and which instance it keeps to. */
export interface Tie {
  readonly sessionId: string;
  readonly instanceId: string;
}

/** Ties a client to an instance by a cookie that only we can have written. */
export class Affinity {
  readonly #secret: Uint8Array;

  /** @param secret at least 32 random bytes, the same in every proxy process and after a restart. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** What the client's Cookie field says, if the signature is ours. */
  read(service: string, cookieField: string | undefined): Tie | undefined {
    const name = `${COOKIE_PREFIX}${service}=`;
    const pair = cookieField?.split(';').find((each) => each.trimStart().startsWith(name));
    const [instanceId, sessionId, signature, more] = pair?.trim().slice(name.length).split('.') ?? [];
    if (!instanceId || !sessionId || signature === undefined || more !== undefined) return undefined;
    const tie = { sessionId, instanceId };
    const given = Buffer.from(signature);
    const expected = Buffer.from(this.#sign(service, tie));
    return given.length === expected.length && timingSafeEqual(given, expected) ? tie : undefined;
  }

  /** For a client that is new to us; it stays the same client when it has to move to another instance. */
  newSessionId(): string {
    return randomBytes(12).toString('base64url');
  }

  /** The value of a Set-Cookie field; a session cookie, so that it ends with the browser. */
  issue(service: string, tie: Tie): string {
    const value = `${tie.instanceId}.${tie.sessionId}.${this.#sign(service, tie)}`;
    return `${COOKIE_PREFIX}${service}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`;
  }

  #sign(service: string, { instanceId, sessionId }: Tie): string {
    const said = `${service}\0${instanceId}\0${sessionId}`;
    return createHmac('sha256', this.#secret).update(said).digest('base64url').slice(0, 32);
  }
}
