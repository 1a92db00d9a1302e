import { HELD_BACK } from './hop-by-hop.ts';
import { MalformedResponse } from './malformed-response.ts';

const HTAB = 9;
const SP = 32;
/** RFC 9110 5.6.2 and 5.5. */
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const VALUE = '[\\t\\x20-\\x7e\\x80-\\xff]*';
const VISIBLE = '[\\x21-\\x7e\\x80-\\xff]';

/**
 * Lines that are passed on as they are, as many as there are: one blank ahead of the value, none behind it. Most of a head
 * goes by in one match, which takes V8 less than to look at each of its bytes. No part of it can match in two ways, so that
 * no input makes it slow.
 */
const PLAIN_LINES = new RegExp(
  `(?:(?!(?:${HELD_BACK.replaceAll(' ', '|')}):)${TOKEN}: ${VISIBLE}(?:[\\x20-\\x7e\\x80-\\xff]*${VISIBLE})?\\r\\n)+`,
  'iy',
);
const LINE = new RegExp(`(${TOKEN}):(${VALUE})\\r\\n`, 'y');
/** The shortest line is `a:` with its CRLF. */
const SHORTEST_LINE = 4;

/** Reads the fields that are not passed on with the others. */
export interface FieldTaker {
  /** @returns false when the field is passed on */
  take(name: string, value: string): boolean;
}

/**
 * RFC 9112 5: `name: value` lines; no folding, no space before the colon, no bare CR or LF, no control characters.
 * @param text of nothing but lines from `start` on, each with its CRLF
 * @returns the lines that are passed on, with one blank ahead of the value and none behind it
 * @throws MalformedResponse
 */
export function readFieldLines(text: string, start: number, maxFields: number, taker?: FieldTaker): string {
  if (text.length - start > maxFields * SHORTEST_LINE) countFields(text, start, maxFields);
  let lines = '';
  let at = start;
  while (at < text.length) {
    PLAIN_LINES.lastIndex = at;
    if (PLAIN_LINES.test(text)) {
      lines += text.slice(at, PLAIN_LINES.lastIndex);
      at = PLAIN_LINES.lastIndex;
      continue;
    }
    LINE.lastIndex = at;
    const line = LINE.exec(text);
    if (line === null) throw new MalformedResponse('a line of its head is no valid field');
    at = LINE.lastIndex;
    const name = line[1] ?? '';
    const value = withoutBlanks(line[2] ?? '');
    if (taker?.take(name, value) !== true) lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

function countFields(text: string, start: number, maxFields: number): void {
  let count = 0;
  for (let at = start; at < text.length; at = text.indexOf('\n', at) + 1) {
    count += 1;
    if (count > maxFields) throw new MalformedResponse(`there are more than ${maxFields} fields`);
  }
}

/** RFC 9110 5.6.3: blanks are these two; `trim` knows others, which belong to the value. */
function withoutBlanks(value: string): string {
  let first = 0;
  let last = value.length;
  while (first < last && isBlank(value.charCodeAt(first))) first += 1;
  while (last > first && isBlank(value.charCodeAt(last - 1))) last -= 1;
  return value.slice(first, last);
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
