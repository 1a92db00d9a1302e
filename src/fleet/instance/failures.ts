import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Failure } from '../../seam/fleet-view.ts';
import { WakeFailed } from '../../seam/wake-failed.ts';
import { RuntimeError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';

/** How many of an instance's last lines are kept with its failure. */
const LOG_TAIL_LINES = 20;
const LOG_TAIL_WAIT_MS = 1_000;

/** What was thrown, as plain data that both halves and the operator can read. */
export function failureOf(service: string, thrown: unknown, clock: Clock): Failure {
  if (thrown instanceof WakeFailed) return thrown.failure;
  const atEpochMs = clock.epochMs();
  if (thrown instanceof RuntimeError) {
    return { code: thrown.code, detail: thrown.message, logTail: thrown.logTail, atEpochMs };
  }
  return { code: 'internal', detail: `${service} failed unexpectedly: ${messageOf(thrown)}`, logTail: [], atEpochMs };
}

/** The last lines of an instance since its latest start, oldest first; empty rather than late or failing. */
export async function logTailOf(runtime: Runtime, runtimeId: string, clock: Clock): Promise<string[]> {
  const lines: string[] = [];
  const giveUp = new AbortController();
  const timer = clock.after(LOG_TAIL_WAIT_MS, () => giveUp.abort());
  try {
    const options = { tail: LOG_TAIL_LINES, follow: false, latestRun: true, signal: giveUp.signal };
    for await (const { text } of runtime.logs(runtimeId, options)) lines.push(text);
  } catch {
    // The tail is a courtesy; the failure that it belongs to matters more.
  } finally {
    timer.cancel();
  }
  return lines.slice(-LOG_TAIL_LINES);
}
