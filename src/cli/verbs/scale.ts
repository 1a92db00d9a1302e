import { Command, InvalidArgumentError } from 'commander';
import type { ActionAnswer } from '../../management/contract.ts';
import { daemonOf, print, printJson, type CliContext, type GlobalOptions } from '../cli-context.ts';
import { namingKnown, pathOf } from '../service-calls.ts';

export function scaleCommand(context: CliContext): Command {
  return new Command('scale')
    .description('runs so many instances of a service; 0 puts it to sleep')
    .argument('<service>')
    .argument('<replicas>', 'a whole number', wholeNumber)
    .action(async (service: string, replicas: number, _options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const daemon = await daemonOf(context);
      const call = { method: 'POST', path: pathOf(service, 'scale'), body: { replicas } } as const;
      const answer = await namingKnown(daemon, service, () => daemon.ask<ActionAnswer>(call));
      if (json) printJson(context, answer);
      else print(context, replicas === 0 ? `${service} is ${answer.status}` : scaledText(answer));
    });
}

function scaledText({ service, replicas: { desired, ready } }: ActionAnswer): string {
  return `${service}: ${desired} wanted, ${ready} ready`;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  return Number(text);
}
