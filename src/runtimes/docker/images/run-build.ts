import type { ImageBuildOptions } from 'dockerode';
import { RuntimeError } from '../../../fleet/errors.ts';
import type { PrepareOptions } from '../../../fleet/runtime.ts';
import type { Engine } from '../engine/engine.ts';
import { engineStream, type EngineStream } from '../engine/engine-stream.ts';
import { refused, unavailable, unreachable } from '../engine/errors.ts';
import { BuildProgress, errorIn, type EngineMessage } from './image-progress.ts';
import { jsonLines } from '../engine/json-lines.ts';

const LOG_TAIL_LINES = 20;

export interface BuildRequest extends PrepareOptions {
  readonly service: string;
  readonly tar: NodeJS.ReadableStream;
  readonly options: ImageBuildOptions;
  readonly timeoutMs: number;
}

/** One build under way: collects what it wrote, so that a failure can show it. */
class Build {
  readonly #engine: Engine;
  readonly #request: BuildRequest;
  readonly #tail: string[] = [];
  readonly #progress = new BuildProgress();

  constructor(engine: Engine, request: BuildRequest) {
    this.#engine = engine;
    this.#request = request;
  }

  async run(abortSignal: AbortSignal): Promise<void> {
    const stream = await this.#open(abortSignal);
    try {
      for await (const message of jsonLines(stream)) this.#read(message as EngineMessage);
    } catch (error) {
      if (error instanceof RuntimeError) throw error;
      throw this.failed(`the connection to the engine ended before the build did`, error);
    }
  }

  failed(words: string, cause?: unknown): RuntimeError {
    const { service } = this.#request;
    const error = new Error(words, { cause });
    return refused(error, { service, action: 'build the image', fallback: 'build_failed', logTail: this.#tail });
  }

  timedOut(): RuntimeError {
    const { service, timeoutMs } = this.#request;
    const message = `the build of service ${service} was not done in ${Math.round(timeoutMs / 1000)} s; see its last lines`;
    return new RuntimeError('build_timeout', message, { logTail: this.#tail });
  }

  async #open(abortSignal: AbortSignal): Promise<EngineStream> {
    const { tar, options } = this.#request;
    try {
      return engineStream(await this.#engine.docker.buildImage(tar, { ...options, abortSignal }));
    } catch (error) {
      const fault = unreachable(error, this.#engine.address);
      // A connection that broke while the context went out is a build that was cut; one that was never made is no build.
      if (fault && !['ECONNRESET', 'EPIPE'].includes(fault.code)) throw unavailable(fault, error);
      const { service } = this.#request;
      throw refused(error, { service, action: 'build the image', fallback: 'build_failed', logTail: this.#tail });
    }
  }

  #read(message: EngineMessage): void {
    const progress = this.#progress.read(message);
    for (const step of progress) {
      this.#tail.push(step.detail);
      if (this.#tail.length > LOG_TAIL_LINES) this.#tail.shift();
      this.#request.onProgress(step);
    }
    const error = errorIn(message);
    // docker-modem's followProgress would call this a success: the status line said 200 long ago.
    if (error !== undefined) throw this.failed(error.trim());
  }
}

/** Builds one image and streams its log. Rejects with `build_failed`, `build_timeout` or `disk_full`, and what it wrote last. */
export async function runBuild(engine: Engine, request: BuildRequest): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), request.timeoutMs);
  const build = new Build(engine, request);
  try {
    await build.run(AbortSignal.any([request.signal, late.signal]));
  } catch (error) {
    if (late.signal.aborted) throw build.timedOut();
    if (request.signal.aborted) throw build.failed('it was called off', error);
    throw error;
  } finally {
    clearTimeout(timer);
    // The rest of the context is not read when nobody takes it any more.
    (request.tar as unknown as { destroy(): void }).destroy();
  }
}
