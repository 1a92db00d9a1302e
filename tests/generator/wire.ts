import type { ExchangePlan, PlannedFields, PlannedRequest, PlannedResponse, Spelling } from './plan/exchange-plan.ts';
import { hosts } from './hosts.ts';

/** A planned request as the bytes of HTTP/1, in latin1 text. */
export function requestBytes({ request, client, upstream }: ExchangePlan): { head: string; content: string } {
  const { method, path, fields, hopFields, spelling } = request;
  const host = hosts[upstream.http];
  const target = spelling.absoluteTarget ? `https://${host}${path}` : path;
  const own = [['Host', host] as const, ...ownFields(request)];
  const head = `${method} ${target} HTTP/${client.http}\r\n${lines([...own, ...fields, ...hopFields], spelling)}\r\n`;
  return { head, content: framed(request) };
}

/** A planned response: the interim ones, then the final one. */
export function responseBytes({ request, response, upstream }: ExchangePlan): ResponseBytes {
  const { interim, status, fields, hopFields, framing, parts, spelling } = response;
  const own: [string, string][] = [];
  if (framing === 'length') own.push(['Content-Length', String(parts.join('').length)]);
  if (framing === 'chunked') own.push(['Transfer-Encoding', 'chunked']);
  if (status === 205) own.push(['Content-Length', '0']);
  if (framing === 'close') own.push(['Connection', 'close']);
  const version = upstream.http === '1.0' ? '1.0' : '1.1';
  return {
    interim: interim.map((one) => `HTTP/1.1 ${one} Interim\r\nX-Interim: ${one}\r\n\r\n`).join(''),
    head: `HTTP/${version} ${status} Planned\r\n${lines([...own, ...fields, ...hopFields], spelling)}\r\n`,
    content: request.method === 'HEAD' ? '' : framed(response),
  };
}

export interface ResponseBytes {
  readonly interim: string;
  readonly head: string;
  readonly content: string;
}

/** How many bytes of a response leave an upstream that breaks off. */
export function bytesBeforeBreak(plan: ExchangePlan): number {
  const { interim, head, content } = responseBytes(plan);
  const whole = interim.length + head.length + content.length;
  return plan.upstream.breaks === undefined ? whole : Math.floor(plan.upstream.breaks.at * whole);
}

/** Cuts text into so many pieces at places that follow from the number of the case. */
export function split(whole: string, pieces: number, index: number): string[] {
  if (pieces <= 1 || whole.length < 2) return [whole];
  const places = Array.from(
    { length: pieces - 1 },
    (_, at) => ((index * 7_919 + at * 104_729) % (whole.length - 1)) + 1,
  );
  const borders = [0, ...places.sort((a, b) => a - b), whole.length];
  return borders
    .slice(1)
    .map((end, at) => whole.slice(borders[at], end))
    .filter((piece) => piece !== '');
}

function ownFields({ framing, parts, expectsContinue, takesTrailers }: PlannedRequest): [string, string][] {
  const own: [string, string][] = [];
  if (framing === 'length') own.push(['Content-Length', String(parts.join('').length)]);
  if (framing === 'chunked') own.push(['Transfer-Encoding', 'chunked']);
  if (expectsContinue) own.push(['Expect', '100-continue']);
  if (takesTrailers) own.push(['TE', 'trailers'], ['Connection', 'TE']);
  return own;
}

function framed({ framing, parts, trailers, spelling }: PlannedRequest | PlannedResponse): string {
  if (framing !== 'chunked') return parts.join('');
  const chunks = parts.map((part) => `${chunkSize(part.length, spelling)}\r\n${part}\r\n`).join('');
  return `${chunks}${chunkSize(0, spelling)}\r\n${lines(trailers, spelling)}\r\n`;
}

/** RFC 9112 7.1 and 7.1.1. */
function chunkSize(size: number, { chunkSize: how }: Spelling): string {
  const digits = size.toString(16);
  if (how === 'padded') return digits.toUpperCase().padStart(8, '0');
  return how === 'extended' ? `${digits};part;note="not; for you"` : digits;
}

function lines(fields: PlannedFields, { colon }: Spelling): string {
  return fields.map(([name, value]) => `${name}${colon}${value}\r\n`).join('');
}
