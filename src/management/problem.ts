import { STATUS_CODES } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { CodedError } from '../lib/coded-error.ts';
import { WakeFailed } from '../seam/wake-failed.ts';
import type { ProblemAnswer } from './contract.ts';

/** An error that knows how it is answered. */
export class ApiProblem extends CodedError {
  readonly status: number;
  readonly problems: ProblemAnswer['problems'];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { problems?: NonNullable<ProblemAnswer['problems']>; retryAfterSeconds?: number } = {},
  ) {
    super(code, message);
    this.status = status;
    this.problems = more.problems;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export interface Answer {
  readonly problem: ProblemAnswer;
  readonly retryAfterSeconds?: number;
}

/** How the errors of the fleet are answered; a wake that failed for another reason is the service's fault: 502. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  unknown_service: 404,
  not_ours: 409,
  scale_out_of_range: 422,
  not_ready_in_time: 504,
  build_timeout: 504,
  crash_loop: 503,
  runtime_unavailable: 503,
  start_cancelled: 503,
  shutting_down: 503,
  store_unavailable: 503,
  store_failed: 503,
  store_closed: 503,
  internal: 500,
};

/** How errors of the framework are called in this API. */
const FRAMEWORK_CODES: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  404: 'not_found',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
};

/** What a client is told of an error. What nobody foresaw is told to the log alone. */
export function answerTo(error: unknown, requestId: string, nowEpochMs: number): Answer {
  if (error instanceof ApiProblem) {
    const { problems, retryAfterSeconds } = error;
    const problem = { ...base(error.status, error.code, error.message, requestId), ...(problems && { problems }) };
    return { problem, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  }
  if (error instanceof WakeFailed) return wakeAnswer(error, requestId, nowEpochMs);
  const known = error instanceof CodedError ? STATUS_BY_CODE[error.code] : undefined;
  if (error instanceof CodedError && known !== undefined) {
    return { problem: base(known, error.code, error.message, requestId) };
  }
  return { problem: frameworkProblem(error, requestId) };
}

function wakeAnswer({ service, failure, code }: WakeFailed, requestId: string, nowEpochMs: number): Answer {
  const status = STATUS_BY_CODE[code] ?? 502;
  const problem = { ...base(status, code, failure.detail, requestId), service, logTail: failure.logTail.map(plain) };
  const backOffMs = (failure.retryAtEpochMs ?? nowEpochMs) - nowEpochMs;
  if (status !== 503) return { problem };
  return { problem, retryAfterSeconds: Math.max(1, Math.ceil(backOffMs / 1000)) };
}

function frameworkProblem(error: unknown, requestId: string): ProblemAnswer {
  const { statusCode } = error as { statusCode?: unknown };
  if (error instanceof Error && typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return base(statusCode, FRAMEWORK_CODES[statusCode] ?? 'invalid_request', error.message, requestId);
  }
  return base(500, 'internal', `This should not have happened; the log has the details under ${requestId}.`, requestId);
}

function base(status: number, code: string, detail: string, requestId: string): ProblemAnswer {
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: `urn:reveille:problem:${code}`, title, status, detail: plain(detail), code, requestId };
}

/** Terminals obey control characters and people see credentials in URLs; neither belongs in an answer. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[^\P{Cc}\t\n]/gu, '')
    .replace(/:\/\/[^\s/@]+@/g, '://***@');
}
