import { Command } from 'commander';
import type { SleepAnswer } from '../../management/contract.ts';
import { daemonOf, print, printJson, type CliContext, type GlobalOptions } from '../cli-context.ts';
import { namingKnown, pathOf } from '../service-calls.ts';
import { coloured } from '../status-colour.ts';

export function sleepCommand(context: CliContext): Command {
  return new Command('sleep')
    .description('drains a service and puts it to sleep')
    .argument('<service>')
    .action(async (service: string, _options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const daemon = await daemonOf(context);
      const call = { method: 'POST', path: pathOf(service, 'sleep') } as const;
      const answer = await namingKnown(daemon, service, () => daemon.ask<SleepAnswer>(call));
      if (json) printJson(context, answer);
      else print(context, `${answer.service} is ${coloured(answer.status)}`);
    });
}
