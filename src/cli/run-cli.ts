import type { CliContext } from './cli-context.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** Does what the arguments say (without the program's name). @returns the exit code */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  try {
    await createProgram(context).parseAsync([...args], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return reportError(context, error, args.includes('--json'));
  }
}
