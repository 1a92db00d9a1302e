import type { WakeAnswer } from '../management/contract.ts';
import { print, printJson, type CliContext } from './cli-context.ts';
import type { DaemonClient } from './daemon-client.ts';
import { namingKnown } from './service-calls.ts';
import { coloured } from './status-colour.ts';
import { WakeProgressLine } from './wake-progress-line.ts';

export interface WakeOptions {
  readonly daemon: DaemonClient;
  readonly service: string;
  readonly path: string;
  readonly json: boolean;
}

const PARTS = [
  ['dependenciesMs', 'dependencies'],
  ['buildMs', 'image'],
  ['startMs', 'start'],
  ['readyMs', 'ready'],
] as const;

/** Waits for a wake, shows on a terminal how far it is, and says how long it took. */
export async function wakeAndTell(context: CliContext, { daemon, service, path, json }: WakeOptions): Promise<void> {
  const line = json || !context.stderr.isTTY ? undefined : new WakeProgressLine(context.stderr, daemon, service);
  line?.start();
  let answer: WakeAnswer;
  try {
    answer = await namingKnown(daemon, service, () => daemon.ask<WakeAnswer>({ method: 'POST', path }));
  } finally {
    await line?.close();
  }
  if (json) printJson(context, answer);
  else print(context, `${answer.service} is ${coloured(answer.status)}${tookText(answer)}`);
}

function tookText({ timings }: WakeAnswer): string {
  if (!timings || timings.totalMs === 0) return '';
  const parts = PARTS.flatMap(([key, name]) => {
    const ms = timings[key];
    return ms === undefined ? [] : [`${name} ${Math.round(ms)}`];
  });
  return ` after ${Math.round(timings.totalMs)} ms${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}
