import { stripVTControlCharacters } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { CodedError } from '../../lib/coded-error.ts';
import type { LogAnswer } from '../../management/contract.ts';
import { daemonOf, print, type CliContext, type GlobalOptions } from '../cli-context.ts';
import { namingKnown, pathOf } from '../service-calls.ts';

interface LogsOptions extends GlobalOptions {
  readonly follow?: boolean;
  readonly tail: number;
}

const COLOURS = [pc.cyan, pc.magenta, pc.yellow, pc.green, pc.blue];

export function logsCommand(context: CliContext): Command {
  return new Command('logs')
    .description('what the instances of a service write')
    .argument('<service>')
    .option('-f, --follow', 'go on with new lines')
    .option('--tail <lines>', 'how many of the last lines of each instance come first', tailOf, 100)
    .action(async (service: string, _options: unknown, command: Command) => {
      await showLogs(context, service, command.optsWithGlobals<LogsOptions>());
    });
}

async function showLogs(
  context: CliContext,
  service: string,
  { follow = false, tail, json }: LogsOptions,
): Promise<void> {
  const daemon = await daemonOf(context);
  const path = pathOf(service, `logs?follow=${follow}&tail=${tail}`);
  await namingKnown(daemon, service, async () => {
    for await (const line of daemon.listen<LogAnswer>({ path })) {
      print(context, json ? JSON.stringify(line) : lineText(line));
    }
  });
  if (follow) throw new CodedError('stream_ended', 'The daemon has ended the stream.');
}

function lineText({ instance, stream, text }: LogAnswer): string {
  const number = Number(/\d+$/.exec(instance)?.[0] ?? 1);
  const colour = COLOURS[(number - 1) % COLOURS.length] ?? pc.cyan;
  // What a service writes must not be able to command the terminal.
  const safe = stripVTControlCharacters(text).replace(/[^\P{Cc}\t]/gu, '');
  return `${colour(instance)} ${pc.dim('|')} ${stream === 'stderr' ? pc.red(safe) : safe}`;
}

function tailOf(text: string): number {
  const tail = Number(text);
  if (!/^\d+$/.test(text) || tail > 10_000)
    throw new InvalidArgumentError('It must be a whole number from 0 to 10000.');
  return tail;
}
