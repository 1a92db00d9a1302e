import type { Entrant } from '../arena.ts';

/** What one span of load has come to. */
export interface LoadResult {
  /** Complete answers, or round trips. */
  readonly count: number;
  /** Answers that failed or were not 2xx. */
  readonly failed: number;
  readonly seconds: number;
  /** What the client has read in all, head and content. */
  readonly megabytes?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

export type Load = (entrant: Entrant, seconds: number) => Promise<LoadResult>;
