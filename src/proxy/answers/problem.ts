import { STATUS_CODES } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import type { Failure } from '../../seam/fleet-view.ts';
import { errorAnswer, type ErrorAnswer } from './error-table.ts';

/** What its operator does about an error. */
export interface Advice {
  readonly text: string;
  /** Where there is more to see. */
  readonly link: { readonly text: string; readonly url: string };
}

/** An error on its way to a client. */
export interface ProxyError {
  /** One of error-table.ts, or another stable code together with a `status`. */
  readonly code: string;
  /** For people. Told to everyone when the request caused it, else only in development. */
  readonly detail: string;
  readonly service?: string;
  /** What the build or the instance wrote last; told in development only. */
  readonly logTail?: readonly string[];
  /** Told in development only. */
  readonly advice?: Advice;
  readonly retryAfterSeconds?: number;
  /** Needed for codes that are not in the table. */
  readonly status?: number;
  /** Ends the connection after the answer. */
  readonly close?: boolean;
  /** The methods that would be allowed: required with 405 (RFC 9110 section 15.5.6). */
  readonly allow?: string;
}

/** An error as a client may see it. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly service?: string;
  readonly logTail: readonly string[];
  readonly advice?: Advice;
  readonly retryAfterSeconds?: number;
  readonly close: boolean;
  readonly allow?: string;
}

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 300;
const MAX_DETAIL_LENGTH = 1000;

/** Looks up how the error is answered and leaves out what the client may not know. */
export function toProblem(error: ProxyError, { development }: { development: boolean }): Problem {
  const { code, service, allow, advice } = error;
  const answer = answerTo(error);
  const { status = answer.status, close = answer.close ?? false } = error;
  const { retryAfterSeconds = answer.retryAfterSeconds } = error;
  const told = development ? error.detail : (answer.reason ?? error.detail);
  return {
    status,
    title: answer.title,
    detail: clean(told, MAX_DETAIL_LENGTH),
    code,
    logTail: development ? cleanLines(error.logTail ?? []) : [],
    close,
    ...(service !== undefined && { service }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterSeconds)) }),
    ...(allow !== undefined && { allow }),
    ...(development && advice && { advice }),
  };
}

/** A failed wake as an error for the requests that waited for it. */
export function errorOfFailure(service: string, failure: Failure, nowEpochMs: number): ProxyError {
  const { code, detail, logTail, retryAtEpochMs } = failure;
  const retry =
    retryAtEpochMs === undefined ? {} : { retryAfterSeconds: Math.max(0, retryAtEpochMs - nowEpochMs) / 1000 };
  return { code, detail, service, logTail, ...retry };
}

/** Lines of foreign output as a page may show them: without control sequences and credentials, few and short. */
export function cleanLines(lines: readonly string[]): string[] {
  return lines.slice(-MAX_LINES).map((line) => clean(line, MAX_LINE_LENGTH));
}

/** Of an unknown code only its status is known: whether the request or the proxy is at fault. */
function answerTo({ code, status = 500 }: ProxyError): ErrorAnswer {
  const known = errorAnswer(code);
  if (known !== undefined) return known;
  const title = STATUS_CODES[status] ?? 'Error';
  return status < 500 ? { status, title } : { status, title, reason: 'The log has the details under this request id.' };
}

/** Terminals obey control characters and readers see credentials in URLs; neither belongs in an answer. */
function clean(text: string, maxLength: number): string {
  const plain = stripVTControlCharacters(text.slice(0, maxLength * 4))
    // eslint-disable-next-line no-control-regex -- control characters are what is removed here
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .replace(/:\/\/[^\s/@]+@/g, '://***@');
  return plain.length > maxLength ? `${plain.slice(0, maxLength - 1)}…` : plain;
}
