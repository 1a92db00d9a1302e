import { FieldNames } from '../exchange/field-names.ts';
import { listMembers } from '../exchange/field-values.ts';

/** The head of a response of an upstream. */
export interface UpstreamHead {
  /** As Via has it. */
  readonly protocolVersion: '1.0' | '1.1' | '2.0';
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: readonly string[];
  /** RFC 9112 6: at most one of the two says how long the content is. */
  readonly contentLength: number | undefined;
  /** The end of the content shows by itself, and trailers may stand there: the chunked coding, or HTTP/2. */
  readonly chunked: boolean;
  /** The options of Connection, lower case. */
  readonly connection: readonly string[];
  /** Seconds, from Keep-Alive: timeout=n. */
  readonly keepAliveSeconds: number | undefined;
}

/** A response that is not HTTP/1, or whose end two parsers could see in different places. */
export class MalformedResponse extends Error {}

/** The fields that frame a response, or speak of its connection. */
const FRAMING = new FieldNames('content-length transfer-encoding connection keep-alive');
/** As many as a number holds exactly. */
const MAX_LENGTH_DIGITS = 15;
const TOKEN = 1;
const VALUE = 2;
const HTAB = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const ZERO = 48;
const COLON = 58;
const CLASSES = characterClasses();

/**
 * @param start where the status line begins; it and the fields each have their CRLF
 * @param end where the empty line begins
 */
export function parseResponseHead(bytes: Buffer, start: number, end: number, maxFields: number): UpstreamHead {
  const lineEnd = endOfValue(bytes, start);
  const { protocolVersion, status, reason } = parseStatusLine(bytes, start, lineEnd);
  const rawHeaders = parseFields(bytes, lineEnd + 2, end, maxFields);
  const { contentLength, chunked, connection, keepAliveSeconds } = readFraming(rawHeaders, protocolVersion);
  // Named one by one: spreading objects here took V8 longer than all the parsing.
  return { protocolVersion, status, reason, rawHeaders, contentLength, chunked, connection, keepAliveSeconds };
}

/**
 * RFC 9112 5: `name: value` lines from `start` to `end`; no folding, no space before the colon, no bare CR or LF, no
 * control characters. Looked at as bytes, which takes V8 a fraction of what the characters of a text take.
 */
export function parseFields(bytes: Buffer, start: number, end: number, maxFields: number): string[] {
  const text = bytes.toString('latin1', start, end);
  const fields: string[] = [];
  let at = start;
  while (at < end) {
    let colon = at;
    while ((classOf(bytes, colon) & TOKEN) !== 0) colon += 1;
    if (colon === at || bytes[colon] !== COLON) throw new MalformedResponse('a field name is not valid');
    const lineEnd = endOfValue(bytes, colon + 1);
    if (fields.length === 2 * maxFields) throw new MalformedResponse(`there are more than ${maxFields} fields`);
    let from = colon + 1;
    let to = lineEnd;
    while (from < to && isBlank(bytes[from])) from += 1;
    while (to > from && isBlank(bytes[to - 1])) to -= 1;
    fields.push(text.slice(at - start, colon - start), text.slice(from - start, to - start));
    at = lineEnd + 2;
  }
  return fields;
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
function parseStatusLine(
  bytes: Buffer,
  start: number,
  end: number,
): Pick<UpstreamHead, 'protocolVersion' | 'status' | 'reason'> {
  const line = bytes.toString('latin1', start, end);
  const minor = line.charCodeAt(7) - ZERO;
  const status = parseDigits(line, 9, 12);
  const isValid =
    line.startsWith('HTTP/1.') &&
    (minor === 0 || minor === 1) &&
    line.charCodeAt(8) === SP &&
    status >= 100 &&
    status < 600 &&
    (line.length === 12 || line.charCodeAt(12) === SP);
  if (!isValid) throw new MalformedResponse('its status line is not valid');
  return { protocolVersion: minor === 0 ? '1.0' : '1.1', status, reason: line.slice(13) };
}

type Framing = Pick<UpstreamHead, 'contentLength' | 'chunked' | 'connection' | 'keepAliveSeconds'>;

/** RFC 9112 6.1 and 6.3; a length that comes twice is refused even when both agree. */
function readFraming(rawHeaders: readonly string[], version: UpstreamHead['protocolVersion']): Framing {
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

/** RFC 9110 5.5 and 5.6.2. */
function characterClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let code = 0x20; code <= 0xff; code += 1) if (code !== 0x7f) classes[code] = VALUE;
  classes[HTAB] = VALUE;
  for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
    classes[character.charCodeAt(0)] = TOKEN | VALUE;
  }
  return classes;
}
