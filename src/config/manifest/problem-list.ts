import type { z } from 'zod';
import type { ConfigProblem } from '../config-error.ts';

/** `services.web.routes[1].path`: how a place in the manifest is named to people. */
function pathOf(base: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (place, step) => (typeof step === 'number' ? `${place}[${step}]` : `${place}.${String(step)}`),
    base,
  );
}

/** Everything that is found wrong, in the order in which it is found. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = [];

  get all(): readonly ConfigProblem[] {
    return this.#problems;
  }

  add(field: string, message: string): void {
    this.#problems.push({ field, message });
  }

  addIssues(base: string, issues: readonly z.core.$ZodIssue[]): void {
    for (const issue of issues) this.add(pathOf(base, issue.path), issue.message);
  }
}
