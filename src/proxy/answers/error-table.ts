/** How one kind of error is answered. */
export interface ErrorAnswer {
  readonly status: number;
  /** The same for every occurrence (RFC 9457 section 3.1.3); also the headline of the page. */
  readonly title: string;
  /**
   * What a stranger may know of the reason. Errors without it were made by the request itself: their own detail is told
   * to everyone. All others have details with addresses, paths and output, which stay in the log and in development.
   */
  readonly reason?: string;
  /** Seconds after which coming back makes sense, unless the error itself knows better. */
  readonly retryAfterSeconds?: number;
  /** The connection is of no further use. */
  readonly close?: true;
}

/** The one table from the code of an error to its answer. A test holds it to the codes of fleet, dispatch and upstream connections. */
const ANSWERS = {
  // The instance could not be made or does not become ready (fleet/errors.ts).
  build_failed: wakeFailure('Its image could not be built.'),
  build_timeout: wakeFailure('Building its image took too long.'),
  image_missing: wakeFailure('Its image is not there.'),
  pull_failed: wakeFailure('Its image could not be fetched.'),
  create_failed: wakeFailure('It could not be created.'),
  name_taken: wakeFailure('Its name is taken by something else.'),
  port_taken: wakeFailure('Its port is taken by something else.'),
  disk_full: wakeFailure('There is no space left for it.'),
  start_failed: wakeFailure('It could not be started.'),
  instance_exited: wakeFailure('It ended while it was starting.'),
  probe_failed: wakeFailure('It started but does not answer as it should.'),
  dependency_failed: wakeFailure('Something that it depends on did not start.'),
  job_failed: wakeFailure('A job that has to run first did not succeed.'),
  not_runnable: wakeFailure('It cannot run on this machine.'),
  out_of_memory: wakeFailure('It needs more memory than it may use.'),
  not_ready_in_time: {
    status: 504,
    title: 'The service did not become ready in time',
    reason: 'It started but did not answer in time.',
  },
  crash_loop: {
    status: 503,
    title: 'The service keeps failing to start',
    reason: 'It failed several times in a row and is left alone for a moment.',
    retryAfterSeconds: 10,
  },
  runtime_unavailable: {
    status: 503,
    title: 'The service cannot be started at the moment',
    reason: 'What runs it does not answer. Services that are awake go on.',
    retryAfterSeconds: 5,
  },
  start_cancelled: {
    status: 503,
    title: 'The service was put to sleep',
    reason: 'Its operator put it to sleep while it woke.',
    retryAfterSeconds: 1,
  },
  shutting_down: {
    status: 503,
    title: 'The proxy is shutting down',
    reason: 'Come back in a moment.',
    retryAfterSeconds: 1,
    close: true,
  },
  internal: {
    status: 500,
    title: 'The proxy failed',
    reason: 'This is a fault of the proxy. Its log has the details under this request id.',
  },

  // The dispatcher found no upstream to send it to (dispatch/errors.ts).
  waiting_room_full: {
    status: 503,
    title: 'Too many requests are waiting',
    reason: 'The service is waking and its waiting room is full.',
    retryAfterSeconds: 1,
  },
  wake_timeout: { status: 504, title: 'The service did not wake in time', reason: 'It is still not ready.' },
  control_away: {
    status: 504,
    title: 'The service could not be woken',
    reason: 'What wakes services is away for a moment. Services that are awake go on.',
    retryAfterSeconds: 5,
  },
  breaker_open: {
    status: 503,
    title: 'The service is recovering',
    reason: 'It failed too often and gets a short rest.',
    retryAfterSeconds: 5,
  },
  no_upstream: {
    status: 503,
    title: 'The service is not available',
    reason: 'None of its instances can take a request.',
    retryAfterSeconds: 1,
  },
  draining: {
    status: 503,
    title: 'The proxy is restarting',
    reason: 'Come back in a moment.',
    retryAfterSeconds: 1,
    close: true,
  },

  // The upstream was reached for and failed.
  upstream_refused: {
    status: 502,
    title: 'The service refused the connection',
    reason: 'It does not take connections.',
  },
  upstream_reset: {
    status: 502,
    title: 'The service broke off the connection',
    reason: 'It ended the connection before it had answered.',
  },
  upstream_bad_response: {
    status: 502,
    title: 'The service sent a bad response',
    reason: 'What it answered is not valid HTTP.',
  },
  upstream_timeout: {
    status: 504,
    title: 'The service did not answer in time',
    reason: 'It took the request but sent nothing back.',
  },
  connect_timeout: {
    status: 504,
    title: 'The service could not be reached in time',
    reason: 'The connection to it was not established.',
  },

  forwarder_closed: {
    status: 503,
    title: 'The proxy is restarting',
    reason: 'Come back in a moment.',
    retryAfterSeconds: 1,
    close: true,
  },

  // The request asks for what cannot be given.
  unknown_host: { status: 404, title: 'No service has this address' },
  misdirected: { status: 421, title: 'This connection is for another host' },
  body_timeout: { status: 408, title: 'The request was sent too slowly', close: true },
  body_too_large: { status: 413, title: 'The request is too large', close: true },
  body_length_mismatch: { status: 400, title: 'The request is not as long as it says', close: true },
  method_not_allowed: { status: 405, title: 'This method is not allowed here' },
  too_many_feeds: { status: 503, title: 'Too many pages are waiting', retryAfterSeconds: 5 },
} as const satisfies Record<string, ErrorAnswer>;

export type ErrorCode = keyof typeof ANSWERS;

export const ERROR_CODES = Object.keys(ANSWERS) as readonly ErrorCode[];

/** The answer for a code; undefined for one that brings its own status, such as those of request-rules.ts. */
export function errorAnswer(code: string): ErrorAnswer | undefined {
  return Object.hasOwn(ANSWERS, code) ? ANSWERS[code as ErrorCode] : undefined;
}

function wakeFailure(reason: string): { status: 502; title: string; reason: string } {
  return { status: 502, title: 'The service did not start', reason };
}
