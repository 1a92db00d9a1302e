import type { RawHeaders } from './client-exchange.ts';

const ANY_DATE = /^date:/im;

/**
 * Fields that are passed on, in the order in which they came: as lines, which is how HTTP/1 sends them, or as names and
 * values in turn, as HTTP/2 does. The form in which they did not come is made when somebody asks for it.
 */
export class FieldList {
  #lines: string | undefined;
  #pairs: RawHeaders | undefined;

  private constructor(lines: string | undefined, pairs: RawHeaders | undefined) {
    this.#lines = lines;
    this.#pairs = pairs;
  }

  /** @param lines `Name: value` with CRLF each, and no other blanks around the value */
  static ofLines(lines: string): FieldList {
    return new FieldList(lines, undefined);
  }

  static ofPairs(pairs: RawHeaders): FieldList {
    return new FieldList(undefined, pairs);
  }

  get lines(): string {
    return (this.#lines ??= fieldLines(this.#pairs ?? []));
  }

  get pairs(): RawHeaders {
    return (this.#pairs ??= fieldPairs(this.#lines ?? ''));
  }

  /** One of them is a Date. */
  get hasDate(): boolean {
    const { lines } = this;
    // Most servers write it like this, and a plain search is over at once.
    return lines.startsWith('Date: ') || lines.includes('\nDate: ') || ANY_DATE.test(lines);
  }

  /** @param names in lower case */
  without(names: ReadonlySet<string>): FieldList {
    const kept: string[] = [];
    const { pairs } = this;
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const name = pairs[at] ?? '';
      if (!names.has(name.toLowerCase())) kept.push(name, pairs[at + 1] ?? '');
    }
    return FieldList.ofPairs(kept);
  }
}

/** `name: value` with CRLF, for each field. */
export function fieldLines(fields: RawHeaders): string {
  let lines = '';
  for (let at = 0; at + 1 < fields.length; at += 2) {
    // Piece behind piece: V8 writes a tree that leans to one side faster than one of many branches.
    lines = lines + (fields[at] ?? '') + ': ' + (fields[at + 1] ?? '') + '\r\n';
  }
  return lines;
}

/** What `fieldLines` was made of. */
function fieldPairs(lines: string): string[] {
  const pairs: string[] = [];
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(': ', at);
    const end = lines.indexOf('\r\n', colon);
    pairs.push(lines.slice(at, colon), lines.slice(colon + 2, end));
    at = end + 2;
  }
  return pairs;
}
