import { sleep, type Clock } from '../../../lib/clock.ts';
import { RuntimeError } from '../../../fleet/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { destroyOnAbort, engineStream, type EngineStream } from '../engine/engine-stream.ts';
import { refused, wordsOf } from '../engine/errors.ts';

/** As a shell says it: no such command. */
const NOT_FOUND = 127;
const EXIT_CODE_POLL_MS = 5;
const EXIT_CODE_POLLS = 100;

export interface ExecRequest {
  readonly service: string;
  readonly id: string;
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Reads to the end, which is when the command has ended. */
async function drain(stream: EngineStream): Promise<void> {
  const chunks = stream[Symbol.asyncIterator]();
  while (!(await chunks.next()).done);
}

/** Runs a command inside a container; what it writes is thrown away. When the signal aborts, its end is not waited for. */
export async function execIn(
  engine: Engine,
  clock: Clock,
  { service, id, command, signal }: ExecRequest,
): Promise<number> {
  const options = { Cmd: [...command], AttachStdout: true, AttachStderr: true };
  try {
    const exec = await engine.call((abortSignal) => engine.docker.getContainer(id).exec({ ...options, abortSignal }));
    if (signal.aborted) throw toError(signal.reason);
    const stream = engineStream(await engine.call((abortSignal) => exec.start({ abortSignal })));
    const release = destroyOnAbort(stream, signal);
    try {
      await drain(stream);
    } finally {
      release();
      stream.destroy();
    }
    for (let poll = 0; poll < EXIT_CODE_POLLS; poll += 1) {
      const { ExitCode } = await engine.call((abortSignal) => exec.inspect({ abortSignal }));
      if (ExitCode !== null) return ExitCode;
      await sleep(clock, EXIT_CODE_POLL_MS);
    }
    throw new RuntimeError('internal', `the engine gives no exit code for a command in service ${service}`);
  } catch (error) {
    if (signal.aborted) throw toError(signal.reason);
    if (/executable file not found|no such file or directory/i.test(wordsOf(error))) return NOT_FOUND;
    throw refused(error, { service, action: `run '${command[0] ?? ''}' in the container`, fallback: 'probe_failed' });
  }
}
