import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** No span of load is anywhere near as long. */
const TIMEOUT_MS = 30_000;

/** What a program writes to its output. @throws Error when it fails, or does not end */
export async function runProgram(program: string, words: readonly string[]): Promise<string> {
  const { stdout } = await run(program, [...words], { timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
