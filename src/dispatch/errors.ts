import { CodedError } from '../lib/coded-error.ts';

/** Why the dispatcher sends a request away without an upstream having seen it. proxy/error-response.ts maps the codes to answers. */
export type DispatchCode = 'waiting_room_full' | 'wake_timeout' | 'breaker_open' | 'no_upstream' | 'draining';

export class DispatchError extends CodedError {
  declare readonly code: DispatchCode;
  readonly service: string;
  /** When coming back makes sense, if that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(code: DispatchCode, service: string, message: string, retryAfterMs?: number) {
    super(code, message);
    this.service = service;
    this.retryAfterMs = retryAfterMs;
  }
}
