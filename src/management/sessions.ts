import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';

interface Session {
  /** Monotonic. */
  readonly endsAtMs: number;
  /** A digest of the token that opened it: a new token ends all sessions of the old one. */
  readonly token: string;
}

export const SESSION_LIFETIME_MS = 12 * 60 * 60_000;
const MAX_SESSIONS = 1_000;

/** Browsers that have shown the token. Kept in memory: a restart, like a new token, asks for it again. */
export class Sessions {
  readonly #clock: Clock;
  readonly #token: () => string;
  /** By the digest of their id, so that how long a look-up takes tells nothing of an id. */
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, token: () => string) {
    this.#clock = clock;
    this.#token = token;
  }

  /** @returns the secret id of a new session; the oldest gives way when there are too many */
  open(): string {
    const id = randomBytes(32).toString('base64url');
    this.#forgetEnded();
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const endsAtMs = this.#clock.now() + SESSION_LIFETIME_MS;
    this.#sessions.set(digest(id), { endsAtMs, token: digest(this.#token()) });
    return id;
  }

  has(id: string): boolean {
    const session = this.#sessions.get(digest(id));
    return session !== undefined && session.endsAtMs > this.#clock.now() && session.token === digest(this.#token());
  }

  end(id: string): void {
    this.#sessions.delete(digest(id));
  }

  #forgetEnded(): void {
    const now = this.#clock.now();
    for (const [id, { endsAtMs }] of this.#sessions) if (endsAtMs <= now) this.#sessions.delete(id);
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
