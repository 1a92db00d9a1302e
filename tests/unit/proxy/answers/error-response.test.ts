import { describe, expect, it } from 'vitest';
import type { DispatchCode } from '../../../../src/dispatch/errors.ts';
import type { FailureCode } from '../../../../src/fleet/errors.ts';
import { respondWithError } from '../../../../src/proxy/answers/error-response.ts';
import { ERROR_CODES, errorAnswer } from '../../../../src/proxy/answers/error-table.ts';
import { errorOfFailure, type ProxyError } from '../../../../src/proxy/answers/problem.ts';
import type { UpstreamErrorCode } from '../../../../src/proxy/forward/upstream-error.ts';
import { RecordedExchange, type RecordedRequest } from '../../../support/fakes/recorded-exchange.ts';

/** Type checking keeps these complete: a code that is missing here, or that no union has any more, does not compile. */
const FAILURES: Record<FailureCode, number> = {
  build_failed: 502,
  build_timeout: 502,
  image_missing: 502,
  pull_failed: 502,
  create_failed: 502,
  name_taken: 502,
  port_taken: 502,
  disk_full: 502,
  start_failed: 502,
  instance_exited: 502,
  not_ready_in_time: 504,
  probe_failed: 502,
  dependency_failed: 502,
  job_failed: 502,
  runtime_unavailable: 503,
  not_runnable: 502,
  crash_loop: 503,
  out_of_memory: 502,
  start_cancelled: 503,
  shutting_down: 503,
  internal: 500,
};
const DISPATCH: Record<DispatchCode, number> = {
  waiting_room_full: 503,
  wake_timeout: 504,
  breaker_open: 503,
  no_upstream: 503,
  draining: 503,
};
const UPSTREAM: Record<UpstreamErrorCode, number> = {
  upstream_refused: 502,
  connect_timeout: 504,
  upstream_reset: 502,
  upstream_bad_response: 502,
  upstream_timeout: 504,
  body_timeout: 408,
  body_too_large: 413,
  body_length_mismatch: 400,
  forwarder_closed: 503,
};
const HERE = { control_away: 504, unknown_host: 404, misdirected: 421, method_not_allowed: 405, too_many_feeds: 503 };
const EXPECTED = { ...FAILURES, ...DISPATCH, ...UPSTREAM, ...HERE };

const SECRET = 'mongodb://admin:hunter2@172.18.0.3:27017 in /home/me/app/Dockerfile';
const BROWSER = { 'sec-fetch-mode': 'navigate' };

function answer(
  error: ProxyError,
  { development = false, ...request }: RecordedRequest & { development?: boolean } = {},
) {
  const exchange = new RecordedExchange(request);
  respondWithError(exchange, error, { development, nowEpochMs: 0 });
  return exchange.sent;
}

function problemOf(sent: { body: string }): Record<string, unknown> {
  return JSON.parse(sent.body) as Record<string, unknown>;
}

describe('the table of errors', () => {
  it.each(Object.entries(EXPECTED))('answers %s with %i', (code, status) => {
    expect(answer({ code, detail: 'x' }).status).toBe(status);
  });

  it('has no code that nobody uses', () => {
    expect([...ERROR_CODES].sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it('asks to come back after every 503', () => {
    const without = ERROR_CODES.filter(
      (code) => errorAnswer(code)?.status === 503 && answer({ code, detail: 'x' }).headers['retry-after'] === undefined,
    );
    expect(without).toEqual([]);
  });

  it('tells strangers the detail of none but client errors', () => {
    const telling = ERROR_CODES.filter((code) => errorAnswer(code)?.reason === undefined);
    for (const code of telling)
      expect(errorAnswer(code)?.status === 503 || errorAnswer(code)!.status < 500, code).toBe(true);
  });
});

describe('respondWithError', () => {
  it('answers a program with problem+json', () => {
    const sent = answer({ code: 'upstream_refused', detail: 'connect ECONNREFUSED 172.18.0.3:3000', service: 'web' });
    expect(sent.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': 'req-1',
    });
    expect(problemOf(sent)).toEqual({
      type: 'urn:reveille:problem:upstream_refused',
      title: 'The service refused the connection',
      status: 502,
      detail: 'web: It does not take connections.',
      code: 'upstream_refused',
      requestId: 'req-1',
      service: 'web',
    });
  });

  it('answers a person with a page that may load nothing', () => {
    const { status, headers, body } = answer(
      { code: 'unknown_host', detail: 'Nothing is at <b>.' },
      { headers: BROWSER },
    );
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'nonce-[\w-]{22}'; script-src 'nonce-/,
    );
    expect(body).toContain('Nothing is at &lt;b&gt;.');
    expect(body).toContain('404 · unknown_host');
  });

  it('uses another nonce for each page', () => {
    const nonces = [1, 2].map(
      () => /nonce="([^"]+)"/.exec(answer({ code: 'internal', detail: 'x' }, { headers: BROWSER }).body)?.[1],
    );
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  it.each([[{}], [{ headers: BROWSER }]])('keeps details and output to itself in production', (request) => {
    const { body } = answer(
      { code: 'build_failed', detail: SECRET, service: 'web', logTail: ['LOGLINE', SECRET] },
      request,
    );
    expect(body).not.toMatch(/hunter2|172\.18|home\/me|LOGLINE/);
    expect(body).toContain('Its image could not be built.');
  });

  it.each([[{}], [{ headers: BROWSER }]])('tells details and output in development, but no credentials', (request) => {
    const error = {
      code: 'build_failed',
      detail: SECRET,
      service: 'web',
      logTail: ['LOGLINE \u001b[31mred\u001b[0m', SECRET],
    };
    const { body } = answer(error, { ...request, development: true });
    expect(body).toContain('home/me/app');
    expect(body).toContain('LOGLINE red');
    expect(body).not.toContain('hunter2');
  });

  it('shows only the end of a long output', () => {
    const logTail = Array.from({ length: 500 }, (_, i) => `line ${i} ${'x'.repeat(10_000)}`);
    const sent = answer({ code: 'build_failed', detail: 'x', logTail }, { development: true });
    expect(sent.body.length).toBeLessThan(8000);
    expect((problemOf(sent)['logTail'] as string[]).at(-1)).toMatch(/^line 499 /);
  });

  it('takes the status of the request rules for codes of theirs', () => {
    const sent = answer({ code: 'bad_framing', status: 400, detail: 'Two lengths.', close: true });
    expect(sent.headers['connection']).toBe('close');
    expect(problemOf(sent)).toMatchObject({
      status: 400,
      title: 'Bad Request',
      detail: 'Two lengths.',
      code: 'bad_framing',
    });
  });

  it('hides the detail of a fault that nobody foresaw', () => {
    const sent = answer({ code: 'constructor', detail: SECRET });
    expect(sent.status).toBe(500);
    expect(sent.body).not.toContain('hunter2');
  });

  it('says Connection: close when it drains, but not over HTTP/2', () => {
    const error = { code: 'draining', detail: 'x' };
    expect(answer(error).headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
    expect(answer(error, { httpVersion: '2' }).headers).not.toHaveProperty('connection');
  });

  it('names the allowed methods', () => {
    expect(answer({ code: 'method_not_allowed', detail: 'x', allow: 'GET, HEAD' }).headers['allow']).toBe('GET, HEAD');
  });

  it('lets a crash loop come back when its back-off ends', () => {
    const failure = { code: 'crash_loop', detail: 'x', logTail: [], atEpochMs: 1000, retryAtEpochMs: 8500 };
    const sent = answer(errorOfFailure('web', failure, 1000));
    expect(sent.status).toBe(503);
    expect(sent.headers['retry-after']).toBe('8');
    expect(answer(errorOfFailure('web', failure, 99_000)).headers['retry-after']).toBe('1');
  });

  it('aborts an answer that has begun, and leaves a client alone that has gone', () => {
    const begun = new RecordedExchange();
    begun.sendHead(200, 'OK', []);
    respondWithError(begun, { code: 'upstream_reset', detail: 'x' }, { development: false, nowEpochMs: 0 });
    expect(begun.sent).toMatchObject({ status: 200, aborted: true, ended: false, body: '' });
    const gone = new RecordedExchange();
    gone.leave();
    respondWithError(gone, { code: 'upstream_reset', detail: 'x' }, { development: false, nowEpochMs: 0 });
    expect(gone.sent.status).toBe(0);
  });
});
