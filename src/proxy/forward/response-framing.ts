import { FieldNames } from '../exchange/field-names.ts';
import { listMembers } from '../exchange/field-values.ts';
import type { FieldTaker } from './field-line-reader.ts';
import { HELD_BACK } from './hop-by-hop.ts';
import { MalformedResponse } from './malformed-response.ts';
import type { UpstreamHead } from './upstream-head.ts';

const NAMES = new FieldNames(HELD_BACK);
/** As many as a number holds exactly. */
const MAX_LENGTH_DIGITS = 15;
const ZERO = 48;

/** What the fields say that are not passed on with the others. */
export class ResponseFraming implements FieldTaker {
  contentLength: number | undefined;
  chunked = false;
  connection: readonly string[] = [];
  keepAliveSeconds: number | undefined;
  trailer: string | undefined;
  upgrade: string | undefined;

  /** RFC 9112 6.1 and 6.3; a length that comes twice is refused even when both agree. @throws MalformedResponse */
  take(name: string, value: string): boolean {
    const held = NAMES.find(name);
    switch (held) {
      case 'content-length':
        if (this.contentLength !== undefined) throw new MalformedResponse('it has several Content-Length fields');
        this.contentLength = parseLength(value);
        break;
      case 'transfer-encoding':
        this.chunked = parseCoding(value, this.chunked);
        break;
      case 'connection':
        this.connection =
          this.connection.length === 0 ? listMembers(value) : [...this.connection, ...listMembers(value)];
        break;
      case 'keep-alive':
        this.keepAliveSeconds = parseKeepAlive(value);
        break;
      case 'trailer':
        this.trailer = joined(this.trailer, value);
        break;
      case 'upgrade':
        this.upgrade = joined(this.upgrade, value);
    }
    return held !== undefined;
  }

  /** @throws MalformedResponse when the fields leave in doubt where the content ends */
  check(version: UpstreamHead['protocolVersion']): void {
    if (!this.chunked) return;
    if (this.contentLength !== undefined)
      throw new MalformedResponse('it has both Content-Length and Transfer-Encoding');
    if (version === '1.0') throw new MalformedResponse('it has Transfer-Encoding in HTTP/1.0');
  }
}

/** RFC 9110 5.3. */
function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function parseCoding(value: string, before: boolean): boolean {
  if (before || value.toLowerCase() !== 'chunked')
    throw new MalformedResponse('its Transfer-Encoding is not "chunked"');
  return true;
}

/** @throws MalformedResponse */
export function parseLength(value: string): number {
  const length = value.length > 0 && value.length <= MAX_LENGTH_DIGITS ? parseDigits(value, 0, value.length) : NaN;
  if (Number.isNaN(length)) throw new MalformedResponse('its Content-Length is not a number');
  return length;
}

/** A number of nothing but digits; NaN for anything else. */
function parseDigits(text: string, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

function parseKeepAlive(value: string): number | undefined {
  const seconds = /(?:^|[,;\s])timeout=([0-9]{1,9})/i.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
