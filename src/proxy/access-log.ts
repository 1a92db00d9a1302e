import type { Logger } from '../lib/logger.ts';

/** What decides whether a request is worth a line. */
interface AccessOutcome {
  readonly status: number;
  /** The reason when the proxy answered itself, or when the answer broke off. */
  readonly code?: string | undefined;
  /** How long it waited for the service to wake. */
  readonly wakeMs?: number | undefined;
}

/** How one request ended, as the log tells it. Never a query, a cookie or any other field of the request. */
export interface AccessEntry extends AccessOutcome {
  readonly requestId: string;
  readonly method: string;
  readonly host: string;
  /** Without the query. */
  readonly path: string;
  readonly durationMs: number;
  readonly service?: string;
  readonly instance?: string;
  readonly detail?: string;
}

/** Clients come and go: that one closed its page is no error. */
const LEFT: ReadonlySet<string> = new Set(['abandoned', 'client_left']);

export type AccessLogMode = 'all' | 'errors' | 'off';

/** One line a request, for those that the operator wants to see. */
export class AccessLog {
  mode: AccessLogMode;
  readonly #log: Logger;

  constructor(log: Logger, mode: AccessLogMode) {
    this.#log = log;
    this.mode = mode;
  }

  /** Asked before an entry is put together. */
  wants({ status, wakeMs, code }: AccessOutcome): boolean {
    if (this.mode !== 'errors') return this.mode === 'all';
    const brokeOff = code !== undefined && !LEFT.has(code);
    return status >= 400 || wakeMs !== undefined || brokeOff;
  }

  write(entry: AccessEntry): void {
    if (!this.wants(entry)) return;
    const { method, host, path, status, durationMs, code } = entry;
    const message = `${method} ${host}${path} ${status}${code === undefined ? '' : ` ${code}`} in ${Math.round(durationMs)} ms`;
    if (status >= 500) this.#log.warn(entry, message);
    else this.#log.info(entry, message);
  }
}
