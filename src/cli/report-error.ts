import { CommanderError } from 'commander';
import pc from 'picocolors';
import { ConfigError } from '../config/config-error.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { printJson, type CliContext } from './cli-context.ts';
import { DaemonError } from './daemon-error.ts';
import { EXIT } from './exit-codes.ts';

/** Says what went wrong; with --json on standard output, where whoever reads it looks. @returns the exit code */
export function reportError(context: CliContext, error: unknown, json: boolean): number {
  // Commander has said already what it did not understand, or shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (json) printJson(context, { error: errorFacts(error) });
  else context.stderr.write(`${pc.red('error')}  ${messageOf(error)}${logText(error)}\n`);
  return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
}

function errorFacts(error: unknown): object {
  if (error instanceof DaemonError) return error.problem;
  const code = error instanceof CodedError ? error.code : 'internal';
  const problems = error instanceof ConfigError ? { problems: error.problems } : {};
  return { code, detail: messageOf(error), ...problems };
}

function logText(error: unknown): string {
  const tail = error instanceof DaemonError ? (error.problem.logTail ?? []) : [];
  return tail.map((line) => `\n  ${pc.dim('|')} ${line}`).join('');
}
