import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How much longer than its span of load a program may take, to connect and to end. */
const EXTRA_MS = 15_000;

/** What a program writes to its output. @throws Error when it fails, or does not end */
export async function runProgram(program: string, words: readonly string[], seconds: number): Promise<string> {
  const timeout = seconds * 1_000 + EXTRA_MS;
  const { stdout } = await run(program, [...words], { timeout, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
