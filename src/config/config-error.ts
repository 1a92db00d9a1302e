import { CodedError } from '../lib/coded-error.ts';

/** One thing wrong with what the operator wrote. `field` is a key of .env or a path such as `services.web.port`. */
export interface ConfigProblem {
  readonly field: string;
  readonly message: string;
}

/** Settings or a manifest that cannot be used; lists every problem at once. */
export class ConfigError extends CodedError {
  readonly source: string;
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const lines = problems.map(({ field, message }) => `  ${field}: ${message}`);
    super('config_invalid', [`${source} cannot be used:`, ...lines].join('\n'), options);
    this.source = source;
    this.problems = problems;
  }
}
