import type { ClientExchange } from '../exchange/client-exchange.ts';
import { FieldNames } from '../exchange/field-names.ts';
import { fieldValue, listMembers } from '../exchange/field-values.ts';
import { maxForwards } from '../exchange/max-forwards.ts';
import { forwardedFields, isForwardedField } from './forwarded-fields.ts';
import { HOP_BY_HOP, nominatedFields } from './hop-by-hop.ts';
import type { Via } from './via.ts';

export interface RequestFieldOptions {
  /** The peer's word on where the request came from is believed. */
  readonly trusted: boolean;
  readonly via: Via;
}

/** Set by us below, meant for us alone, or dangerous: `Proxy` becomes HTTP_PROXY in CGI programs (CVE-2016-5385). */
const OURS = 'host content-length expect trailer x-request-id proxy';
const HELD_BACK = new FieldNames(`${OURS} ${HOP_BY_HOP}`);
const KEPT_FROM_TRUSTED = new FieldNames('x-forwarded-server x-forwarded-ssl');

/** The fields of a request for its upstream in any version of HTTP; host and framing are added by that version. */
export function requestFields(exchange: ClientExchange, { trusted, via }: RequestFieldOptions): string[] {
  const own = ['X-Request-Id', exchange.requestId, 'Via', viaValue(exchange, via)];
  return [...passedFields(exchange, trusted), ...forwardedFields(exchange, trusted), ...own];
}

/** Those of the client that go on to the upstream. */
export function passedFields(exchange: ClientExchange, trusted: boolean): string[] {
  const fields = endToEndFields(exchange, trusted);
  const forwards = maxForwards(exchange);
  if (forwards !== undefined) setField(fields, 'max-forwards', String(forwards - 1));
  return fields;
}

export function viaValue({ httpVersion }: ClientExchange, via: Via): string {
  return via[httpVersion === '2' ? '2.0' : httpVersion];
}

function endToEndFields(exchange: ClientExchange, trusted: boolean): string[] {
  const { rawHeaders } = exchange;
  const nominated = nominatedBy(exchange);
  const joinsCookies = exchange.httpVersion === '2';
  const fields: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (HELD_BACK.has(name) || nominated?.has(name.toLowerCase()) === true) continue;
    // The others are written anew by forwardedFields.
    if (isForwardedField(name) && !(trusted && KEPT_FROM_TRUSTED.has(name))) continue;
    if (joinsCookies && name === 'cookie') continue;
    fields.push(name, rawHeaders[at + 1] ?? '');
  }
  // RFC 9113 8.2.3: HTTP/2 may split a cookie into crumbs, HTTP/1 may not.
  const cookie = joinsCookies ? fieldValue(rawHeaders, 'cookie') : undefined;
  if (cookie !== undefined) fields.push('cookie', cookie);
  return fields;
}

/** The fields that the client has named in Connection and that are therefore not passed on, lower case. */
export function nominatedBy(exchange: ClientExchange): ReadonlySet<string> | undefined {
  const connection = exchange.header('connection');
  return connection === undefined ? undefined : nominatedFields(listMembers(connection));
}

function setField(fields: string[], lowerName: string, value: string): void {
  for (let at = 0; at + 1 < fields.length; at += 2) if (fields[at]?.toLowerCase() === lowerName) fields[at + 1] = value;
}

export function acceptsTrailers(exchange: ClientExchange): boolean {
  const te = exchange.header('te');
  return te !== undefined && listMembers(te).includes('trailers');
}
