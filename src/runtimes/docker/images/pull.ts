import type { PrepareProgress } from '../../../fleet/runtime.ts';
import type { Engine } from '../engine/engine.ts';
import { engineStream } from '../engine/engine-stream.ts';
import { errorIn, PullProgress, type EngineMessage } from './image-progress.ts';
import { parseImageReference } from './image-reference.ts';
import { jsonLines } from '../engine/json-lines.ts';
import type { RegistryCredentials } from './registry-credentials.ts';
import { Watchdog } from '../engine/watchdog.ts';

export interface PullOptions {
  onProgress(progress: PrepareProgress): void;
  readonly signal: AbortSignal;
  /** Milliseconds without a word of the registry after which the pull counts as failed. */
  readonly silenceMs: number;
}

/** Pulls one image. Rejects with the registry's words, or those of the engine. */
export async function pullImage(
  engine: Engine,
  credentials: RegistryCredentials,
  image: string,
  options: PullOptions,
): Promise<void> {
  const { signal, silenceMs } = options;
  const { registry, name, tag } = parseImageReference(image);
  const auth = await credentials.find(registry);
  const watchdog = new Watchdog(silenceMs, signal);
  try {
    // The engine answers only when the registry has, so the bound on silence is the one that counts here.
    const answer = await engine.docker.createImage(auth, {
      fromImage: name,
      ...(tag === undefined ? {} : { tag }),
      abortSignal: watchdog.signal,
    });
    const stream = engineStream(answer);
    watchdog.guard(stream);
    const progress = new PullProgress(image);
    for await (const value of jsonLines(stream)) {
      watchdog.touch();
      const message = value as EngineMessage;
      const error = errorIn(message);
      if (error !== undefined) throw new Error(error);
      options.onProgress(progress.read(message));
    }
  } catch (error) {
    throw watchdog.explain(error, `no word of the registry for ${silenceMs / 1000} s`);
  } finally {
    watchdog.stop();
  }
}
