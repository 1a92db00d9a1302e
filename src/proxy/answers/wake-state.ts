import type { Failure, ServiceView, WakePhase, WakeProgress } from '../../seam/fleet-view.ts';
import { cleanLines, errorOfFailure, toProblem } from './problem.ts';

/** What a person who waits is shown; the waiting page and its event stream say the same. Survives JSON. */
export interface WakeState {
  /** `asleep` = nobody is waking it: whoever waits has to ask again. */
  readonly state: 'progress' | 'ready' | 'failed' | 'asleep';
  readonly phase?: WakePhase;
  readonly headline: string;
  /** The phase in words, or why it failed. */
  readonly text: string;
  /** Finer detail: the step of the build, the code of the failure. Empty when there is nothing to tell. */
  readonly note: string;
  /** 0 to 1. */
  readonly ratio: number;
  /** Milliseconds since the wake began. */
  readonly elapsedMs: number;
  /** The last lines of output, in development only. */
  readonly lines: readonly string[];
}

export interface WakeStateOptions {
  readonly development: boolean;
  readonly nowEpochMs: number;
}

const PHASE_WORDS: Readonly<Record<WakePhase, string>> = {
  queued: 'Waiting for its turn',
  dependencies: 'Waking what it depends on',
  pull: 'Fetching its image',
  build: 'Building its image',
  start: 'Starting it',
  ready: 'Waiting until it answers',
};

export function wakeState(view: ServiceView, options: WakeStateOptions): WakeState {
  const { name, status, upstreams, progress, failure } = view;
  const serves = (status === 'awake' || status === 'degraded') && upstreams.length > 0;
  if (serves || status === 'completed')
    return { ...resting(name), state: 'ready', headline: `${name} is awake`, ratio: 1 };
  if (status === 'failed') return failed(name, failure, options);
  if (status === 'asleep') return { ...resting(name), state: 'asleep' };
  return progress === undefined ? resting(name) : inProgress(name, progress, options);
}

function resting(name: string): WakeState {
  return {
    state: 'progress',
    headline: `Waking ${name}`,
    text: 'Getting ready',
    note: '',
    ratio: 0,
    elapsedMs: 0,
    lines: [],
  };
}

function inProgress(name: string, progress: WakeProgress, { development, nowEpochMs }: WakeStateOptions): WakeState {
  const { phase, detail, ratio, startedAtEpochMs, lines } = progress;
  return {
    ...resting(name),
    phase,
    text: PHASE_WORDS[phase],
    // What only says the phase once more is left out.
    note: development && !PHASE_WORDS[phase].toLowerCase().startsWith(detail) ? (cleanLines([detail])[0] ?? '') : '',
    ratio,
    elapsedMs: Math.max(0, nowEpochMs - startedAtEpochMs),
    lines: development ? cleanLines(lines) : [],
  };
}

function failed(name: string, failure: Failure | undefined, { development, nowEpochMs }: WakeStateOptions): WakeState {
  const known = failure ?? {
    code: 'start_failed',
    detail: 'It could not be started.',
    logTail: [],
    atEpochMs: nowEpochMs,
  };
  const { title, detail, code, logTail } = toProblem(errorOfFailure(name, known, nowEpochMs), { development });
  const headline = title.replace('The service', () => name);
  return { ...resting(name), state: 'failed', headline, text: detail, note: code, lines: logTail };
}
