import { Command } from 'commander';
import { daemonOf, type CliContext, type GlobalOptions } from '../cli-context.ts';
import { pathOf } from '../service-calls.ts';
import { wakeAndTell } from '../wake-and-tell.ts';

export function wakeCommand(context: CliContext): Command {
  return new Command('wake')
    .description('wakes a service and waits until it serves')
    .argument('<service>')
    .action(async (service: string, _options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const daemon = await daemonOf(context);
      await wakeAndTell(context, { daemon, service, path: pathOf(service, 'wake'), json: json ?? false });
    });
}
