import { STATUS_CODES } from 'node:http';
import type { RawHeaders } from '../exchange/client-exchange.ts';
import type { RefusedRequest } from './request-rules.ts';

/** A request that was answered before anybody could handle it: what the access log and the counters are told. */
export interface Refusal {
  readonly requestId: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remoteAddress: string;
  /** Absent when the request could not even be parsed. */
  readonly method?: string;
  readonly host?: string;
}

/** The body of a refusal (RFC 9457). */
export function refusalBody({ status, code, detail }: Omit<RefusedRequest, 'ok' | 'close'>, requestId: string): Buffer {
  const title = STATUS_CODES[status] ?? 'Error';
  return Buffer.from(
    `${JSON.stringify({ type: `urn:reveille:problem:${code}`, title, status, detail, code, requestId })}\n`,
  );
}

export function refusalHeaders(body: Buffer, requestId: string): RawHeaders {
  return [
    'content-type',
    'application/problem+json',
    'content-length',
    String(body.length),
    'cache-control',
    'no-store',
    'x-request-id',
    requestId,
  ];
}

/** The whole answer as HTTP/1.1 bytes, for a connection whose request could not be parsed; it announces the close. */
export function refusalBytes(refused: Omit<RefusedRequest, 'ok' | 'close'>, requestId: string): Buffer {
  const body = refusalBody(refused, requestId);
  const headers = [...refusalHeaders(body, requestId), 'date', new Date().toUTCString(), 'connection', 'close'];
  const lines = [`HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status] ?? ''}`];
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
