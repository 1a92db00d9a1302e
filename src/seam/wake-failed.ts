import { CodedError } from '../lib/coded-error.ts';
import type { Failure } from './fleet-view.ts';

/** A wake that came to nothing: the failure as both halves know it. */
export class WakeFailed extends CodedError {
  readonly service: string;
  readonly failure: Failure;

  constructor(service: string, failure: Failure, options?: ErrorOptions) {
    super(failure.code, failure.detail, options);
    this.service = service;
    this.failure = failure;
  }
}
