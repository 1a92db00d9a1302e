import type { ClientExchange } from '../exchange/client-exchange.ts';
import { forwardedFields } from './forwarded-fields.ts';
import type { RequestFieldOptions } from './request-fields.ts';
import { viaValue } from './request-fields.ts';
import { fieldLines } from '../exchange/field-list.ts';

interface Known {
  readonly authority: string;
  readonly secure: boolean;
  readonly httpVersion: string;
  readonly lines: string;
}

const MAX_KNOWN = 1_000;

/**
 * Our word on where requests came from, and Via, as text. A client mostly asks the host that it asked last, so what was
 * said of that request is said again: it is half of what the head of a small request is put together from.
 */
export class ForwardedLines {
  /** By the address of the client. */
  readonly #known = new Map<string, Known>();

  /** @param options the same `via` for all */
  of(exchange: ClientExchange, options: RequestFieldOptions): string {
    // The word of a trusted peer is a part of it, and another one for each request.
    if (options.trusted) return linesOf(exchange, options);
    const { remoteAddress, authority, secure, httpVersion } = exchange;
    const known = this.#known.get(remoteAddress);
    const isSame = known?.authority === authority && known.secure === secure && known.httpVersion === httpVersion;
    if (isSame) return known.lines;
    const lines = inOnePiece(linesOf(exchange, options));
    if (known === undefined && this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(remoteAddress, { authority, secure, httpVersion, lines });
    return lines;
  }
}

function linesOf(exchange: ClientExchange, { trusted, via }: RequestFieldOptions): string {
  return fieldLines([...forwardedFields(exchange, trusted), 'Via', viaValue(exchange, via)]);
}

/** V8 keeps joined text as a tree, which would be walked by every write. */
function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
