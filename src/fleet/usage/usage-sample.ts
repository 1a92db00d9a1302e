/** What one instance used at one moment. */
export interface UsageSample {
  readonly service: string;
  readonly instanceId: string;
  /** Wall clock, milliseconds. */
  readonly atEpochMs: number;
  /** Of the limit: 1 = all that `resources.cpus` allows. Null where it cannot be told. */
  readonly cpuRatio: number | null;
  /** Null where it cannot be told. */
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number;
  /** Requests, streams and WebSockets open on it. */
  readonly inFlight: number;
}
