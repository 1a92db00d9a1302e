import type { LoadResult } from './load-result.ts';
import { runProgram } from './run-program.ts';

export interface H2loadOptions {
  readonly url: string;
  readonly connections: number;
  /** Streams open at a time on each connection. */
  readonly streams: number;
  readonly seconds: number;
}

/** HTTP/2 over TLS. */
export async function h2load({ url, connections, streams, seconds }: H2loadOptions): Promise<LoadResult> {
  const words = ['-c', String(connections), '-m', String(streams), '-D', String(seconds), '-t', '1', url];
  const output = await runProgram('h2load', words);
  const counts = /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(output) ?? [];
  const [succeeded = 0, failed = 0, errored = 0, timeout = 0] = counts.slice(1).map(Number);
  return { count: succeeded, failed: failed + errored + timeout, seconds };
}
