import type { ClientExchange } from '../exchange/client-exchange.ts';
import { forwardedFields } from './forwarded-fields.ts';
import { fieldLines } from './trailer-fields.ts';

interface Known {
  readonly authority: string;
  readonly secure: boolean;
  readonly lines: string;
}

const MAX_KNOWN = 1_000;

/**
 * Our word on where requests came from, as text. A client mostly asks the host that it asked last, so what was said of
 * that request is said again: it is half of what the head of a small request is put together from.
 */
export class ForwardedLines {
  /** By the address of the client. */
  readonly #known = new Map<string, Known>();

  of(exchange: ClientExchange, trusted: boolean): string {
    // The word of a trusted peer is a part of it, and another one for each request.
    if (trusted) return fieldLines(forwardedFields(exchange, true));
    const { remoteAddress, authority, secure } = exchange;
    const known = this.#known.get(remoteAddress);
    if (known?.authority === authority && known.secure === secure) return known.lines;
    const lines = inOnePiece(fieldLines(forwardedFields(exchange, false)));
    if (known === undefined && this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(remoteAddress, { authority, secure, lines });
    return lines;
  }
}

/** V8 keeps joined text as a tree, which would be walked by every write. */
function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
