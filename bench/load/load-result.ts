/** What one span of load has come to. */
export interface LoadResult {
  /** Complete answers, or round trips. */
  readonly count: number;
  /** Answers that failed or were not 2xx. */
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}
