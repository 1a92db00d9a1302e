import type { CaseResult } from '../cases/case.ts';
import type { Machine } from '../machine.ts';
import type { Verdict } from './targets.ts';

/** One run, as it is written to the JSON file. */
export interface BenchReport {
  /** ISO 8601. */
  readonly at: string;
  readonly mode: 'full' | 'short';
  readonly commit: string;
  readonly machine: Machine;
  /** Of the contestants that are programs of their own. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly secondsPerRound: number;
  /** Contestants that are not installed, and cases that could not be run, with the reason. */
  readonly skipped: readonly string[];
  readonly results: readonly CaseResult[];
  readonly verdicts: readonly Verdict[];
}
