import { CodedError } from '../lib/coded-error.ts';

/** Every reason for which an instance cannot be made or does not become ready. proxy/error-response.ts maps them to answers. */
export type FailureCode =
  | 'build_failed'
  | 'build_timeout'
  | 'image_missing'
  | 'pull_failed'
  | 'create_failed'
  | 'name_taken'
  | 'port_taken'
  | 'disk_full'
  | 'start_failed'
  | 'instance_exited'
  | 'not_ready_in_time'
  | 'probe_failed'
  | 'dependency_failed'
  | 'job_failed'
  | 'runtime_unavailable'
  | 'not_runnable'
  | 'crash_loop'
  | 'out_of_memory'
  | 'start_cancelled'
  | 'shutting_down'
  | 'internal';

/** A runtime that refused or failed for one service. */
export class RuntimeError extends CodedError {
  declare readonly code: FailureCode;
  /** What it wrote before it failed, oldest first. */
  readonly logTail: readonly string[];

  constructor(code: FailureCode, message: string, options?: ErrorOptions & { logTail?: readonly string[] }) {
    super(code, message, options);
    this.logTail = options?.logTail ?? [];
  }
}

/** The runtime as a whole cannot be reached. */
export class RuntimeUnavailable extends RuntimeError {
  constructor(message: string, options?: ErrorOptions) {
    super('runtime_unavailable', message, options);
  }
}
