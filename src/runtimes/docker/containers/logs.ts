import { sleep, type Clock } from '../../../lib/clock.ts';
import type { LogLine, LogOptions } from '../../../fleet/runtime.ts';
import { RuntimeUnavailable } from '../../../fleet/errors.ts';
import type { Containers } from './containers.ts';
import type { Engine } from '../engine/engine.ts';
import { destroyOnAbort, engineStream, type EngineStream } from '../engine/engine-stream.ts';
import { engineTime } from '../engine/engine-traits.ts';
import { statusOf } from '../engine/errors.ts';
import { LogDecoder, type StampedLine } from './log-decoder.ts';

/** How often a stopped container whose log is followed is looked at, in milliseconds. */
const RESTART_POLL_MS = 250;
/**
 * Engines date a start up to some milliseconds later than the first lines that it wrote (2 measured with 20.10). No run
 * can have ended so shortly before the next one was started, which takes the engine longer.
 */
const START_DATED_LATE_MS = 100;

export interface LogsOptions {
  readonly engine: Engine;
  readonly containers: Containers;
  readonly clock: Clock;
}

interface From {
  readonly tail?: number;
  /** Only lines after this stamp. */
  readonly after?: string;
  /** Only lines since this moment, in the form of `engineTime`. */
  readonly since?: string;
}

/** Reads what an instance wrote. Docker ends a followed log when the container stops; here it goes on with the next start. */
export class Logs {
  readonly #options: LogsOptions;

  constructor(options: LogsOptions) {
    this.#options = options;
  }

  async *read(id: string, { tail, follow, latestRun, signal }: LogOptions): AsyncGenerator<LogLine, void, undefined> {
    let from: From = latestRun ? { tail, since: await this.#latestStart(id) } : { tail };
    while (!signal?.aborted) {
      for await (const line of this.#once(id, from, follow, signal)) {
        from = { after: line.stamp };
        yield { stream: line.stream, text: line.text, atEpochMs: line.atEpochMs };
      }
      if (!follow || !(await this.#runsAgain(id, signal))) return;
      // Nothing was written so far: what comes now is all new.
      if (from.after === undefined) from = { after: '' };
    }
  }

  /** One stream of the engine, from its first line to its end; nothing when the container is gone. */
  async *#once(id: string, from: From, follow: boolean, signal: AbortSignal | undefined): AsyncGenerator<StampedLine> {
    const stream = await this.#open(id, from, follow);
    if (!stream) return;
    const release = destroyOnAbort(stream, signal);
    const decoder = new LogDecoder();
    // `since` takes the instant itself in: what was told already comes once more.
    const isNew = ({ stamp }: StampedLine): boolean => !from.after || stamp > from.after;
    try {
      for await (const chunk of stream) yield* decoder.push(chunk).filter(isNew);
      yield* decoder.end().filter(isNew);
    } catch (error) {
      // Cut by the signal, or with the connection: whether there is more to come is found out by the caller.
      if (!follow && !signal?.aborted)
        throw new RuntimeUnavailable('the log was cut by the Docker engine', { cause: error });
    } finally {
      release();
      stream.destroy();
    }
  }

  async #open(id: string, { tail, after, since }: From, follow: boolean): Promise<EngineStream | undefined> {
    const container = this.#options.engine.docker.getContainer(id);
    const base = { stdout: true, stderr: true, timestamps: true, ...(tail !== undefined && { tail }) };
    const options = { ...base, ...(after ? { since: engineTime(after) } : since && { since }) };
    try {
      return await this.#options.engine.call(async (abortSignal) => {
        if (follow) return engineStream(await container.logs({ ...options, follow: true, abortSignal }));
        const all = await container.logs({ ...options, follow: false, abortSignal });
        return oneChunk(all);
      });
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 409) return undefined;
      throw error;
    }
  }

  /** When it was started last, by the engine's clock. */
  async #latestStart(id: string): Promise<string> {
    const startedMs = Date.parse((await this.#options.containers.inspect(id))?.State.StartedAt ?? '');
    // What was never started has no date, or one in the year 1.
    return engineTime(new Date(Math.max(0, startedMs - START_DATED_LATE_MS) || 0).toISOString());
  }

  /** Waits until the container runs again; false when it is gone or nobody listens any more. */
  async #runsAgain(id: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { containers, clock } = this.#options;
    while (!signal?.aborted) {
      try {
        const container = await containers.inspect(id);
        if (!container || container.State.Status === 'removing') return false;
        if (container.State.Running) return true;
      } catch (error) {
        if (!(error instanceof RuntimeUnavailable)) throw error;
      }
      await sleep(clock, RESTART_POLL_MS, signal);
    }
    return false;
  }
}

/** A log that came whole, in the form of one that streams. */
function oneChunk(all: Buffer): EngineStream {
  return {
    destroy: () => undefined,
    on: () => undefined,
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(all);
    },
  };
}
