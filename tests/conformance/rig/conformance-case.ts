import type { CaseBench } from './case-bench.ts';
import type { FrontSettings } from './front.ts';

export interface Verdict {
  readonly pass: boolean;
  /** What happened, in a few words. */
  readonly seen: string;
}

/** One rule, tried on one front with one upstream. */
export interface ConformanceCase {
  readonly id: string;
  /** What holds, in the present tense. */
  readonly title: string;
  /** RFC sections and CVEs. */
  readonly reference: string;
  /** The client speaks HTTP/2: a front that does not is not asked. */
  readonly http2?: boolean;
  /** What only Reveille promises. */
  readonly own?: boolean;
  readonly settings?: FrontSettings;
  readonly run: (bench: CaseBench) => Promise<Verdict>;
}

export function verdict(pass: boolean, seen: string): Verdict {
  return { pass, seen };
}
