import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadResult } from './load-result.ts';
import { runProgram } from './run-program.ts';

export interface WrkOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** A script in Lua that wrk runs. */
  readonly script?: { readonly dir: string; readonly text: string };
}

const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };
const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** HTTP/1.1 over kept-alive connections, as fast as they are answered. */
export async function wrk({ url, connections, seconds, script }: WrkOptions): Promise<LoadResult> {
  const words = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s', '--latency'];
  if (script !== undefined) {
    const path = join(script.dir, 'load.lua');
    await writeFile(path, script.text);
    words.push('-s', path);
  }
  const output = await runProgram('wrk', [...words, url], seconds);
  const [, count = '0', took = '1', unit = 's'] = /(\d+) requests in ([\d.]+)(us|ms|s|m),/.exec(output) ?? [];
  return {
    count: Number(count),
    failed: numberIn(output, /Non-2xx or 3xx responses: (\d+)/) + socketErrors(output),
    seconds: (Number(took) * (UNIT_MS[unit] ?? 1_000)) / 1_000,
    megabytes: megabytesRead(output),
    p50Ms: percentile(output, 50),
    p99Ms: percentile(output, 99),
  };
}

/** Every connection thinks for a random while before each request, so that all together come to `perSecond`. */
export function pacedScript(perSecond: number, connections: number): string {
  const twiceTheMeanMs = Math.round((2_000 * connections) / perSecond);
  return `function delay() return math.random(0, ${twiceTheMeanMs}) end\n`;
}

/** Each request asks for the next of `localhost`, `h1.localhost` ... */
export function hostsScript(hosts: number): string {
  return `local n = 0
function request()
  n = (n + 1) % ${hosts}
  local host = n == 0 and "localhost" or ("h" .. n .. ".localhost")
  return "GET / HTTP/1.1\\r\\nHost: " .. host .. "\\r\\n\\r\\n"
end
`;
}

/** Answers that were cut by the end of the span are a part of it. */
function megabytesRead(output: string): number {
  const [, amount = '0', unit = 'B'] = /, ([\d.]+)([KMG]?B) read/.exec(output) ?? [];
  return (Number(amount) * (UNIT_BYTES[unit] ?? 1)) / 1e6;
}

function percentile(output: string, percent: number): number {
  const [, value = '0', unit = 'ms'] = new RegExp(`^ *${percent}% +([\\d.]+)(us|ms|s|m)`, 'm').exec(output) ?? [];
  return Number(value) * (UNIT_MS[unit] ?? 1);
}

function socketErrors(output: string): number {
  const [, ...counts] = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? [];
  return counts.map(Number).reduce((sum, each) => sum + each, 0);
}

function numberIn(output: string, pattern: RegExp): number {
  return Number(pattern.exec(output)?.[1] ?? '0');
}
