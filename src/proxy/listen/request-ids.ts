import { randomBytes } from 'node:crypto';
import type { RawHeaders } from '../exchange/client-exchange.ts';
import { valuesOf } from './request-rules.ts';

const POOL_BYTES = 8192;
const ID_DIGITS = 16;
/** What may stand in a log line, a header and a JSON string without any escape. */
const ACCEPTABLE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Gives every request its id: 16 hexadecimal digits, or the client's own X-Request-Id when the peer is trusted. */
export class RequestIds {
  readonly #trusted: (remoteAddress: string) => boolean;
  /** The system call for randomness is made once for a thousand ids, and so is the text of its bytes. */
  #digits = '';
  #used = 0;

  constructor(trusted: (remoteAddress: string) => boolean) {
    this.#trusted = trusted;
  }

  for(remoteAddress: string, rawHeaders: RawHeaders): string {
    return this.#given(remoteAddress, rawHeaders) ?? this.next();
  }

  next(): string {
    if (this.#used === this.#digits.length) {
      this.#digits = randomBytes(POOL_BYTES).toString('hex');
      this.#used = 0;
    }
    this.#used += ID_DIGITS;
    return this.#digits.slice(this.#used - ID_DIGITS, this.#used);
  }

  #given(remoteAddress: string, rawHeaders: RawHeaders): string | undefined {
    if (!this.#trusted(remoteAddress)) return undefined;
    const [value, another] = valuesOf(rawHeaders, 'x-request-id');
    return value !== undefined && another === undefined && ACCEPTABLE.test(value) ? value : undefined;
  }
}
