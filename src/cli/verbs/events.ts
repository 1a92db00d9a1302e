import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { parseDuration } from '../../config/units.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { oneLine } from '../../lib/one-line.ts';
import type { EventAnswer } from '../../management/contract.ts';
import { daemonOf, print, type CliContext, type GlobalOptions } from '../cli-context.ts';

interface EventsOptions extends GlobalOptions {
  readonly follow?: boolean;
  /** RFC 3339. */
  readonly since?: string;
}

/** How many of the last events are shown where nobody says since when. */
const TAIL = 100;
/** Characters. What is wrong with a manifest stands in the lines below the first. */
const MAX_FACT_LENGTH = 500;

export function eventsCommand(context: CliContext): Command {
  return new Command('events')
    .description('what happened in the fleet')
    .option('-f, --follow', 'go on with new events')
    .option(
      '--since <when>',
      'the last 1000 since a time (2026-11-21T10:00:00Z) or a while ago (2h), kept for a week',
      timeOf,
    )
    .action(async (_options: unknown, command: Command) => {
      const { follow = false, since, json } = command.optsWithGlobals<EventsOptions>();
      const daemon = await daemonOf(context);
      const past = since === undefined ? `tail=${TAIL}` : `since=${since}`;
      const path = `/api/events?${past}&follow=${follow}`;
      for await (const event of daemon.listen<EventAnswer>({ path })) {
        print(context, json ? JSON.stringify(event) : eventText(event));
      }
      if (follow) throw new CodedError('stream_ended', 'The daemon has ended the stream.');
    });
}

function eventText({ at, type, service, instance, data }: EventAnswer): string {
  const facts = Object.entries(data).filter(([, value]) => typeof value === 'string' || typeof value === 'number');
  const details = facts.map(([key, value]) => `${pc.dim(`${key}=`)}${oneLine(String(value), MAX_FACT_LENGTH)}`);
  return [pc.dim(when(at)), pc.bold(instance ?? service), type, ...details].join('  ');
}

/** The time of the day here, with the day where that is not today. */
function when(at: string): string {
  const [day, time] = [new Date(at).toDateString(), new Date(at).toTimeString().slice(0, 8)];
  return day === new Date().toDateString() ? time : `${day} ${time}`;
}

function timeOf(text: string): string {
  try {
    return new Date(Date.now() - parseDuration(text)).toISOString();
  } catch {
    const epochMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
    if (!Number.isNaN(epochMs)) return new Date(epochMs).toISOString();
    throw new InvalidArgumentError(
      "It must be a time such as 2026-11-21T10:00:00Z, or how long ago: '30m', '2h', '3d'.",
    );
  }
}
