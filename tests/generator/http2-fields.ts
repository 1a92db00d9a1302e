import type { OutgoingHttpHeaders } from 'node:http2';
import type { PlannedFields } from './plan/exchange-plan.ts';

/** Planned fields as node:http2 takes them. */
export function toHeaders(fields: PlannedFields): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of fields) (headers[name.toLowerCase()] ??= []).push(value);
  return headers;
}

/** Fields as planned from the flat list that node:http2 gives. */
export function toFields(raw: readonly string[] = []): [string, string][] {
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) fields.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return fields;
}
