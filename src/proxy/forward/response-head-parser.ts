import { MalformedResponse } from './malformed-response.ts';
import { parseDigits, readFraming } from './response-framing.ts';
import type { UpstreamHead } from './upstream-head.ts';

const HTAB = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const ZERO = 48;
const COLON = 58;
const TOKEN = 1;
const VALUE = 2;
const CLASSES = characterClasses();

/**
 * Looked at as bytes, which takes V8 less than the characters of a text do.
 * @param start where the status line begins; it and the fields each have their CRLF
 * @param end where the empty line begins
 */
export function parseResponseHead(bytes: Buffer, start: number, end: number, maxFields: number): UpstreamHead {
  const text = bytes.toString('latin1', start, end);
  const lineEnd = endOfValue(bytes, start);
  const { protocolVersion, status, reason } = parseStatusLine(text, lineEnd - start);
  const rawHeaders = readFields({ bytes, text, start }, lineEnd + 2, maxFields);
  const { contentLength, chunked, connection, keepAliveSeconds } = readFraming(rawHeaders, protocolVersion);
  // Named one by one: spreading objects here took V8 longer than all the parsing.
  return { protocolVersion, status, reason, rawHeaders, contentLength, chunked, connection, keepAliveSeconds };
}

/** Only fields, from `start` to `end`, each with its CRLF. */
export function parseFields(bytes: Buffer, start: number, end: number, maxFields: number): string[] {
  return readFields({ bytes, text: bytes.toString('latin1', start, end), start }, start, maxFields);
}

/** A part of what was received: where it begins, and all of it as text. */
interface Part {
  readonly bytes: Buffer;
  readonly text: string;
  readonly start: number;
}

/** RFC 9112 5: `name: value` lines; no folding, no space before the colon, no bare CR or LF, no control characters. */
function readFields({ bytes, text, start }: Part, from: number, maxFields: number): string[] {
  const fields: string[] = [];
  const end = start + text.length;
  let at = from;
  while (at < end) {
    const colon = endOfToken(bytes, at);
    if (colon === at || bytes[colon] !== COLON) throw new MalformedResponse('a field name is not valid');
    const lineEnd = endOfValue(bytes, colon + 1);
    if (fields.length === 2 * maxFields) throw new MalformedResponse(`there are more than ${maxFields} fields`);
    let first = colon + 1;
    let last = lineEnd;
    while (first < last && isBlank(bytes[first])) first += 1;
    while (last > first && isBlank(bytes[last - 1])) last -= 1;
    fields.push(text.slice(at - start, colon - start), text.slice(first - start, last - start));
    at = lineEnd + 2;
  }
  return fields;
}

function endOfToken(bytes: Buffer, start: number): number {
  let at = start;
  while ((classOf(bytes, at) & TOKEN) !== 0) at += 1;
  return at;
}

function endOfValue(bytes: Buffer, start: number): number {
  let at = start;
  while ((classOf(bytes, at) & VALUE) !== 0) at += 1;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) {
    throw new MalformedResponse('a line of its head has a control character or does not end with CR LF');
  }
  return at;
}

function classOf(bytes: Buffer, at: number): number {
  return CLASSES[bytes[at] ?? 0] ?? 0;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB;
}

/** RFC 9112 4. The space before an empty reason is left out by many servers; that leaves no doubt. */
function parseStatusLine(text: string, end: number): Pick<UpstreamHead, 'protocolVersion' | 'status' | 'reason'> {
  const minor = text.charCodeAt(7) - ZERO;
  const status = parseDigits(text, 9, 12);
  const isValid =
    text.startsWith('HTTP/1.') &&
    (minor === 0 || minor === 1) &&
    text.charCodeAt(8) === SP &&
    status >= 100 &&
    status < 600 &&
    (end === 12 || text.charCodeAt(12) === SP);
  if (!isValid) throw new MalformedResponse('its status line is not valid');
  return { protocolVersion: minor === 0 ? '1.0' : '1.1', status, reason: text.slice(13, end) };
}

/** RFC 9110 5.5 and 5.6.2. */
function characterClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let code = SP; code <= 0xff; code += 1) if (code !== 0x7f) classes[code] = VALUE;
  classes[HTAB] = VALUE;
  for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
    classes[character.charCodeAt(0)] = TOKEN | VALUE;
  }
  return classes;
}
