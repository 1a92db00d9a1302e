import { FieldList } from '../exchange/field-list.ts';
import { readFieldLines } from './field-line-reader.ts';
import { MalformedResponse } from './malformed-response.ts';
import { ResponseFraming } from './response-framing.ts';
import type { UpstreamHead } from './upstream-head.ts';

/** RFC 9112 4. The space before an empty reason is left out by many servers; that leaves no doubt. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/;

/**
 * @param start where the status line begins; it and the fields each have their CRLF
 * @param end where the empty line begins
 * @throws MalformedResponse
 */
export function parseResponseHead(bytes: Buffer, start: number, end: number, maxFields: number): UpstreamHead {
  const text = bytes.toString('latin1', start, end);
  const line = STATUS_LINE.exec(text);
  if (line === null) throw new MalformedResponse('its status line is not valid');
  const protocolVersion = line[1] === '0' ? '1.0' : '1.1';
  const framing = new ResponseFraming();
  const lines = readFieldLines(text, line[0].length, maxFields, framing);
  framing.check(protocolVersion);
  const { contentLength, chunked, connection, keepAliveSeconds, trailer, upgrade } = framing;
  // Named one by one: spreading objects here took V8 longer than all the parsing.
  return {
    protocolVersion,
    status: Number(line[2]),
    reason: line[3] ?? '',
    fields: FieldList.ofLines(lines),
    contentLength,
    chunked,
    connection,
    keepAliveSeconds,
    trailer,
    upgrade,
  };
}

/** Only fields, from `start` to `end`, each with its CRLF. @throws MalformedResponse */
export function parseFields(bytes: Buffer, start: number, end: number, maxFields: number): FieldList {
  return FieldList.ofLines(readFieldLines(bytes.toString('latin1', start, end), 0, maxFields));
}
