import { randomFillSync } from 'node:crypto';
import type { RawHeaders } from '../exchange/client-exchange.ts';
import { valuesOf } from './request-rules.ts';

const POOL_BYTES = 8192;
const ID_BYTES = 8;
/** What may stand in a log line, a header and a JSON string without any escape. */
const ACCEPTABLE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Gives every request its id: 16 hexadecimal digits, or the client's own X-Request-Id when the peer is trusted. */
export class RequestIds {
  readonly #trusted: (remoteAddress: string) => boolean;
  /** The system call for randomness is made once for a thousand ids. */
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  constructor(trusted: (remoteAddress: string) => boolean) {
    this.#trusted = trusted;
  }

  for(remoteAddress: string, rawHeaders: RawHeaders): string {
    return this.#given(remoteAddress, rawHeaders) ?? this.next();
  }

  next(): string {
    if (this.#used === POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    this.#used += ID_BYTES;
    return this.#pool.toString('hex', this.#used - ID_BYTES, this.#used);
  }

  #given(remoteAddress: string, rawHeaders: RawHeaders): string | undefined {
    const values = valuesOf(rawHeaders, 'x-request-id');
    const [value] = values;
    if (value === undefined || values.length > 1 || !ACCEPTABLE.test(value)) return undefined;
    return this.#trusted(remoteAddress) ? value : undefined;
  }
}
