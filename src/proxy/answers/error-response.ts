import type { ClientExchange } from '../exchange/client-exchange.ts';
import { isNavigation } from './navigation.ts';
import { errorPage } from './pages/error-page.ts';
import { respondWithPage } from './page-response.ts';
import { toProblem, type Problem, type ProxyError } from './problem.ts';

export interface ErrorOptions {
  /** Whether details and log lines may be told. */
  readonly development: boolean;
  readonly nowEpochMs: number;
}

/**
 * Answers an exchange that went wrong: with a page for a person, with `application/problem+json` (RFC 9457) for everyone else.
 * Once a head has left, an error can only be shown by an end that nobody takes for a complete answer.
 */
export function respondWithError(exchange: ClientExchange, error: ProxyError, options: ErrorOptions): void {
  if (exchange.abandoned) return;
  if (exchange.headSent) {
    exchange.abort();
    return;
  }
  const problem = toProblem(error, options);
  const headers = errorHeaders(exchange, problem);
  if (isNavigation(exchange)) {
    const context = { host: exchange.host, requestId: exchange.requestId };
    respondWithPage(exchange, problem.status, headers, (nonce) => errorPage(problem, { ...context, nonce }));
    return;
  }
  headers.push('content-type', 'application/problem+json', 'cache-control', 'no-store');
  exchange.respond(problem.status, headers, JSON.stringify(problemDocument(problem, exchange.requestId)));
}

function errorHeaders({ httpVersion }: ClientExchange, { retryAfterSeconds, allow, close }: Problem): string[] {
  const headers: string[] = [];
  if (retryAfterSeconds !== undefined) headers.push('retry-after', String(retryAfterSeconds));
  if (allow !== undefined) headers.push('allow', allow);
  // HTTP/2 has no such field (RFC 9113 section 8.2.2): there a GOAWAY says it.
  if (close && httpVersion !== '2') headers.push('connection', 'close');
  return headers;
}

function problemDocument(problem: Problem, requestId: string): object {
  const { title, status, detail, code, service, logTail, advice } = problem;
  return {
    type: `urn:reveille:problem:${code}`,
    title,
    status,
    // A page shows the name above the detail; here the detail has to stand alone.
    detail: service === undefined || detail.includes(service) ? detail : `${service}: ${detail}`,
    code,
    requestId,
    ...(service === undefined ? {} : { service }),
    ...(logTail.length === 0 ? {} : { logTail }),
    ...(advice && { advice: `${advice.text} ${advice.link.text}: ${advice.link.url}` }),
  };
}
