import { CodedError } from '../lib/coded-error.ts';
import type { ProblemAnswer } from '../management/contract.ts';

/** The daemon said no. */
export class DaemonError extends CodedError {
  readonly problem: ProblemAnswer;

  constructor(problem: ProblemAnswer) {
    super(problem.code, problem.detail);
    this.problem = problem;
  }
}
