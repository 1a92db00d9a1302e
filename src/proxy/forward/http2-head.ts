import { STATUS_CODES } from 'node:http';
import type { RawHeaders } from '../exchange/client-exchange.ts';
import { fieldValue } from '../exchange/field-values.ts';
import { FieldList } from '../exchange/field-list.ts';
import { FieldNames } from '../exchange/field-names.ts';
import { HELD_BACK } from './hop-by-hop.ts';
import { parseLength } from './response-framing.ts';
import { MalformedResponse } from './malformed-response.ts';
import type { UpstreamHead } from './upstream-head.ts';

const NOT_PASSED = new FieldNames(HELD_BACK);

export interface HeadLimits {
  readonly maxHeadBytes: number;
  readonly maxFields: number;
}

/** The head of a response from the flat list of node:http2, whose nghttp2 has seen to RFC 9113 8.1.1 and 8.3.2. */
export function http2Head(rawHeaders: RawHeaders, limits: HeadLimits): UpstreamHead {
  checkSize(rawHeaders, limits);
  const status = Number(fieldValue(rawHeaders, ':status'));
  // RFC 9113 8.6: there is no 101.
  if (!(status >= 100 && status < 600) || status === 101) throw new MalformedResponse('its status is not valid');
  const length = fieldValue(rawHeaders, 'content-length');
  return {
    protocolVersion: '2.0',
    status,
    reason: STATUS_CODES[status] ?? '',
    fields: FieldList.ofPairs(passedPairs(rawHeaders)),
    contentLength: length === undefined ? undefined : parseLength(length),
    chunked: true,
    connection: [],
    keepAliveSeconds: undefined,
    trailer: fieldValue(rawHeaders, 'trailer'),
    upgrade: undefined,
  };
}

function passedPairs(rawHeaders: RawHeaders): string[] {
  const pairs: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!name.startsWith(':') && !NOT_PASSED.has(name)) pairs.push(name, rawHeaders[at + 1] ?? '');
  }
  return pairs;
}

/** SETTINGS_MAX_HEADER_LIST_SIZE only asks for it, and is counted like this (RFC 9113 6.5.2). */
function checkSize(rawHeaders: RawHeaders, { maxHeadBytes, maxFields }: HeadLimits): void {
  let bytes = 0;
  for (const part of rawHeaders) bytes += part.length + 16;
  if (bytes > maxHeadBytes) throw new MalformedResponse('its head is too long');
  if (rawHeaders.length > 2 * maxFields) throw new MalformedResponse(`there are more than ${maxFields} fields`);
}
