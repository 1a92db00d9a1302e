import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import pc from 'picocolors';
import type { InstanceAnswer, ServiceAnswer } from '../../management/contract.ts';
import { daemonOf, print, printJson, type CliContext, type GlobalOptions } from '../cli-context.ts';
import { allServices } from '../service-calls.ts';
import { coloured } from '../status-colour.ts';
import { table } from '../table.ts';
import { usageCells } from '../usage-cells.ts';

/** An address has a hundred requests a minute; this leaves most of them to others. */
const EVERY_MS = 2_000;
const CLEAR = '\x1b[H\x1b[2J';

export function topCommand(context: CliContext): Command {
  return new Command('top')
    .description('what the instances use, the busiest first; on a terminal it goes on until Ctrl-C')
    .option('--once', 'show it once')
    .action(async (_options: unknown, command: Command) => {
      const { json, once } = command.optsWithGlobals<GlobalOptions & { once?: boolean }>();
      const daemon = await daemonOf(context);
      const goesOn = context.stdout.isTTY === true && !json && !once;
      do {
        const instances = busiestFirst(await allServices(daemon));
        if (json) printJson(context, { instances, total: instances.length });
        else print(context, (goesOn ? CLEAR : '') + topText(instances));
        if (goesOn) await pause(EVERY_MS);
      } while (goesOn);
    });
}

/** Those that run; a sleeping one uses nothing. */
function busiestFirst(services: readonly ServiceAnswer[]): InstanceAnswer[] {
  const running = services.flatMap(({ instances }) => instances.filter(({ memoryBytes }) => memoryBytes !== null));
  return running.sort((a, b) => (b.cpuRatio ?? 0) - (a.cpuRatio ?? 0));
}

function topText(instances: readonly InstanceAnswer[]): string {
  if (instances.length === 0) return 'Nothing runs.';
  const rows = instances.map((one) => [pc.bold(one.id), coloured(one.state), ...usageCells(one)]);
  return table(['INSTANCE', 'STATE', 'CPU', 'MEMORY'], rows);
}
