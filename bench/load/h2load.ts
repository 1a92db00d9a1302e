import type { LoadResult } from './load-result.ts';
import { runProgram } from './run-program.ts';

export interface H2loadOptions {
  readonly url: string;
  readonly connections: number;
  /** Streams open at a time on each connection. */
  readonly streams: number;
  readonly requests: number;
}

/** As long as that many requests may take; a machine on which they take longer measures nothing. */
const AT_MOST_SECONDS = 30;

/**
 * HTTP/2 over TLS. Requests are counted out instead of cut off by the clock (`-D`): there a connection whose handshake
 * ends after the span is never told to stop, and h2load runs on for ever; and what is under way at the end of the span
 * has cost CPU without being counted.
 */
export async function h2load({ url, connections, streams, requests }: H2loadOptions): Promise<LoadResult> {
  const words = ['-c', String(connections), '-m', String(streams), '-n', String(requests), '-t', '1', url];
  const output = await runProgram('h2load', words, AT_MOST_SECONDS);
  const counts = /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(output) ?? [];
  const [succeeded = 0, failed = 0, errored = 0, timeout = 0] = counts.slice(1).map(Number);
  const [, took = '1', unit = 's'] = /finished in ([\d.]+)(us|ms|s)/.exec(output) ?? [];
  const seconds = Number(took) * (UNIT_SECONDS[unit] ?? 1);
  return { count: succeeded, failed: failed + errored + timeout, seconds };
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1 };
