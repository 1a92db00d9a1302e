import { Command } from 'commander';
import pc from 'picocolors';
import { CodedError } from '../../lib/coded-error.ts';
import type { EventAnswer } from '../../management/contract.ts';
import { daemonOf, print, type CliContext, type GlobalOptions } from '../cli-context.ts';

interface EventsOptions extends GlobalOptions {
  readonly follow?: boolean;
}

/** How many of the last events are shown. */
const TAIL = 100;
/** Characters. */
const MAX_FACT_LENGTH = 500;

export function eventsCommand(context: CliContext): Command {
  return new Command('events')
    .description('what happened in the fleet')
    .option('-f, --follow', 'go on with new events')
    .action(async (_options: unknown, command: Command) => {
      const { follow = false, json } = command.optsWithGlobals<EventsOptions>();
      const daemon = await daemonOf(context);
      const path = `/api/events?tail=${TAIL}&follow=${follow}`;
      for await (const event of daemon.listen<EventAnswer>({ path })) {
        print(context, json ? JSON.stringify(event) : eventText(event));
      }
      if (follow) throw new CodedError('stream_ended', 'The daemon has ended the stream.');
    });
}

function eventText({ at, type, service, instance, data }: EventAnswer): string {
  const facts = Object.entries(data).filter(([, value]) => typeof value === 'string' || typeof value === 'number');
  const details = facts.map(([key, value]) => `${pc.dim(`${key}=`)}${oneLine(String(value))}`);
  const time = new Date(at).toTimeString().slice(0, 8);
  return [pc.dim(time), pc.bold(instance ?? service), type, ...details].join('  ');
}

/** What is wrong with a manifest stands in the lines below the first. */
function oneLine(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, ' ');
  return line.length > MAX_FACT_LENGTH ? `${line.slice(0, MAX_FACT_LENGTH)}…` : line;
}
