import type { ClientExchange } from '../exchange/client-exchange.ts';

/** How much content goes to the upstream; decided by us, never copied. */
export type RequestFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  /** Ends where the client ends it, maybe with trailers. */
  | { readonly kind: 'open' };

const NO_CONTENT: RequestFraming = { kind: 'none' };
/** RFC 9110 8.6: methods whose content is expected announce that there is none. */
const USUALLY_WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH']);

export function requestFraming(exchange: ClientExchange): RequestFraming {
  if (!exchange.hasBody) return NO_CONTENT;
  const length = exchange.header('content-length');
  // The rules of the listener have seen to it that it is one number.
  return length === undefined ? { kind: 'open' } : { kind: 'length', length: Number(length) };
}

/** The Content-Length to send; undefined for none. */
export function announcedLength(framing: RequestFraming, method: string): number | undefined {
  if (framing.kind === 'length') return framing.length;
  return framing.kind === 'none' && USUALLY_WITH_CONTENT.has(method) ? 0 : undefined;
}

export function expectsContinue(exchange: ClientExchange): boolean {
  if (!exchange.hasBody || exchange.httpVersion === '1.0') return false;
  return exchange.header('expect')?.toLowerCase() === '100-continue';
}
