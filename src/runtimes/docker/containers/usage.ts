import type { Usage } from '../../../fleet/runtime.ts';
import type { Containers } from './containers.ts';
import type { Engine } from '../engine/engine.ts';
import { destroyOnAbort, engineStream } from '../engine/engine-stream.ts';
import { jsonLines } from '../engine/json-lines.ts';
import { statusOf } from '../engine/errors.ts';
import { isStopped, UsageReader, type EngineSample } from './usage-reader.ts';

/** A call, because the compiler takes what it has once seen of a signal for its state for ever. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Readings about once a second, as the engine takes them, until the signal aborts or the container stops. */
export async function* readUsage(
  engine: Engine,
  containers: Containers,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Usage, void, undefined> {
  const container = await containers.inspect(id);
  if (!container?.State.Running || signal.aborted) return;
  const { NanoCpus = 0, Memory = 0 } = container.HostConfig;
  const reader = new UsageReader({ cpus: NanoCpus / 1e9, memoryBytes: Memory });
  const opened = await engine
    .call((abortSignal) => engine.docker.getContainer(id).stats({ stream: true, ...({ abortSignal } as object) }))
    .catch((error: unknown) => {
      if (statusOf(error) === 404) return undefined;
      throw error;
    });
  if (!opened) return;
  const stream = engineStream(opened);
  const release = destroyOnAbort(stream, signal);
  try {
    for await (const value of jsonLines(stream)) {
      const sample = value as EngineSample;
      if (isStopped(sample)) return;
      yield reader.read(sample);
    }
  } catch (error) {
    // Cut by the signal or with the container; the next call tells which.
    if (!isAborted(signal) && (await containers.inspect(id))?.State.Running) throw error;
  } finally {
    release();
    stream.destroy();
  }
}
