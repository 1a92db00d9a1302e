import { FieldNames } from '../exchange/field-names.ts';
import { listMembers } from '../exchange/field-values.ts';
import { MalformedResponse } from './malformed-response.ts';
import type { UpstreamHead } from './upstream-head.ts';

/** The fields that frame a response, or speak of its connection. */
const FRAMING = new FieldNames('content-length transfer-encoding connection keep-alive');
/** As many as a number holds exactly. */
const MAX_LENGTH_DIGITS = 15;
const ZERO = 48;

type Framing = Pick<UpstreamHead, 'contentLength' | 'chunked' | 'connection' | 'keepAliveSeconds'>;

/** RFC 9112 6.1 and 6.3; a length that comes twice is refused even when both agree. */
export function readFraming(rawHeaders: readonly string[], version: UpstreamHead['protocolVersion']): Framing {
  let contentLength: number | undefined;
  let chunked = false;
  let connection: string[] = [];
  let keepAliveSeconds: number | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = FRAMING.find(rawHeaders[at] ?? '');
    if (name === undefined) continue;
    const value = rawHeaders[at + 1] ?? '';
    switch (name) {
      case 'content-length':
        contentLength = parseLength(value, contentLength);
        break;
      case 'transfer-encoding':
        chunked = parseCoding(value, chunked);
        break;
      case 'connection':
        connection = connection.length === 0 ? listMembers(value) : [...connection, ...listMembers(value)];
        break;
      case 'keep-alive':
        keepAliveSeconds = parseKeepAlive(value);
        break;
    }
  }
  if (chunked && contentLength !== undefined)
    throw new MalformedResponse('it has both Content-Length and Transfer-Encoding');
  if (chunked && version === '1.0') throw new MalformedResponse('it has Transfer-Encoding in HTTP/1.0');
  return { contentLength, chunked, connection, keepAliveSeconds };
}

function parseCoding(value: string, before: boolean): boolean {
  if (before || value.toLowerCase() !== 'chunked')
    throw new MalformedResponse('its Transfer-Encoding is not "chunked"');
  return true;
}

function parseLength(value: string, before: number | undefined): number {
  if (before !== undefined) throw new MalformedResponse('it has several Content-Length fields');
  const length = value.length > 0 && value.length <= MAX_LENGTH_DIGITS ? parseDigits(value, 0, value.length) : NaN;
  if (Number.isNaN(length)) throw new MalformedResponse('its Content-Length is not a number');
  return length;
}

/** A number of nothing but digits; NaN for anything else. */
export function parseDigits(text: string, start: number, end: number): number {
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
