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

/** Connection, Keep-Alive, Content-Length, Transfer-Encoding: most other fields are spared the comparison. */
const FRAMING_NAME_LENGTHS = new Set([10, 14, 17]);
const TOKEN = 1;
const VALUE = 2;
const HTAB = 9;
const LF = 10;
const CR = 13;
const SP = 32;
const COLON = 58;
const CLASSES = characterClasses();

/** @param text status line and fields, each with its CRLF, without the empty line */
export function parseResponseHead(text: string, maxFields: number): UpstreamHead {
  const lineEnd = endOfValue(text, 0);
  const { protocolVersion, status, reason } = parseStatusLine(text, lineEnd);
  const rawHeaders = parseFields(text, lineEnd + 2, maxFields);
  const { contentLength, chunked, connection, keepAliveSeconds } = readFraming(rawHeaders, protocolVersion);
  // Named one by one: spreading objects here took V8 longer than all the parsing.
  return { protocolVersion, status, reason, rawHeaders, contentLength, chunked, connection, keepAliveSeconds };
}

/** RFC 9112 5: `name: value` lines; no folding, no space before the colon, no bare CR or LF, no control characters. */
export function parseFields(text: string, start: number, maxFields: number): string[] {
  const fields: string[] = [];
  let at = start;
  while (at < text.length) {
    let colon = at;
    while (((CLASSES[text.charCodeAt(colon)] ?? 0) & TOKEN) !== 0) colon += 1;
    if (colon === at || text.charCodeAt(colon) !== COLON) throw new MalformedResponse('a field name is not valid');
    const lineEnd = endOfValue(text, colon + 1);
    if (fields.length === 2 * maxFields) throw new MalformedResponse(`there are more than ${maxFields} fields`);
    fields.push(text.slice(at, colon), withoutBlanks(text, colon + 1, lineEnd));
    at = lineEnd + 2;
  }
  return fields;
}

function endOfValue(text: string, start: number): number {
  let at = start;
  while (((CLASSES[text.charCodeAt(at)] ?? 0) & VALUE) !== 0) at += 1;
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
    throw new MalformedResponse('a line of its head has a control character or does not end with CR LF');
  }
  return at;
}

function withoutBlanks(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

/** RFC 9112 4. The space before an empty reason is left out by many servers; that leaves no doubt. */
function parseStatusLine(text: string, end: number): Pick<UpstreamHead, 'protocolVersion' | 'status' | 'reason'> {
  const minor = text.charCodeAt(7) - 48;
  const status = Number(text.slice(9, 12));
  const isValid =
    text.startsWith('HTTP/1.') &&
    (minor === 0 || minor === 1) &&
    text.charCodeAt(8) === SP &&
    /^[1-5][0-9][0-9]$/.test(text.slice(9, 12)) &&
    (end === 12 || text.charCodeAt(12) === SP);
  if (!isValid) throw new MalformedResponse('its status line is not valid');
  return { protocolVersion: minor === 0 ? '1.0' : '1.1', status, reason: text.slice(13, end) };
}

type Framing = Pick<UpstreamHead, 'contentLength' | 'chunked' | 'connection' | 'keepAliveSeconds'>;

/** RFC 9112 6.1 and 6.3; a length that comes twice is refused even when both agree. */
function readFraming(rawHeaders: readonly string[], version: UpstreamHead['protocolVersion']): Framing {
  let contentLength: number | undefined;
  let chunked = false;
  let connection: string[] = [];
  let keepAliveSeconds: number | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!FRAMING_NAME_LENGTHS.has(name.length)) continue;
    const value = rawHeaders[at + 1] ?? '';
    switch (name.toLowerCase()) {
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
  if (!/^[0-9]{1,15}$/.test(value)) throw new MalformedResponse('its Content-Length is not a number');
  return Number(value);
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
