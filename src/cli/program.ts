import { Command } from 'commander';
import { packageVersion } from '../lib/package-version.ts';
import { certsCommand } from './certs.ts';
import { checkCommand } from './check.ts';
import type { CliContext } from './cli-context.ts';
import { downCommand } from './down.ts';
import { eventsCommand } from './events.ts';
import { hostsCommand } from './hosts.ts';
import { logsCommand } from './logs.ts';
import { restartCommand } from './restart.ts';
import { scaleCommand } from './scale.ts';
import { sleepCommand } from './sleep.ts';
import { stateCommand } from './state.ts';
import { statusCommand } from './status.ts';
import { topCommand } from './top.ts';
import { wakeCommand } from './wake.ts';

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
