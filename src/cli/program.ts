import { Command } from 'commander';
import { packageVersion } from '../lib/package-version.ts';
import { certsCommand } from './verbs/certs.ts';
import { checkCommand } from './verbs/check.ts';
import type { CliContext } from './cli-context.ts';
import { downCommand } from './verbs/down.ts';
import { eventsCommand } from './verbs/events.ts';
import { hostsCommand } from './verbs/hosts.ts';
import { logsCommand } from './verbs/logs.ts';
import { restartCommand } from './verbs/restart.ts';
import { scaleCommand } from './verbs/scale.ts';
import { sleepCommand } from './verbs/sleep.ts';
import { stateCommand } from './verbs/state.ts';
import { statusCommand } from './verbs/status.ts';
import { topCommand } from './verbs/top.ts';
import { wakeCommand } from './verbs/wake.ts';

const VERBS = [
  statusCommand,
  wakeCommand,
  sleepCommand,
  scaleCommand,
  restartCommand,
  logsCommand,
  eventsCommand,
  topCommand,
  checkCommand,
  certsCommand,
  hostsCommand,
  stateCommand,
  downCommand,
];

/** All verbs. What cannot be understood is thrown as a CommanderError after it was said. */
export function createProgram(context: CliContext): Command {
  const program = new Command('reveille')
    .description('Wakes services when somebody calls and lets them sleep when nobody does')
    .version(packageVersion())
    .option('--json', 'for machines: JSON on standard output');
  for (const verb of VERBS) program.addCommand(verb(context));
  const verbs = program.commands.flatMap((verb) => [verb, ...verb.commands]);
  for (const command of [program, ...verbs]) {
    command.exitOverride().showHelpAfterError('(--help says what there is)').configureHelp({ showGlobalOptions: true });
    command.configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
  }
  return program;
}
