/** A daemon in miniature, to be killed by a test: starts one service and tells the processes of its group. */
import { pino } from 'pino';
import { SystemClock } from '../../../../src/lib/clock.ts';
import { ProcessRuntime } from '../../../../src/runtimes/process/process-runtime.ts';
import { serviceSpec } from '../../../support/samples/service-spec.ts';

const [script = '', then = ''] = process.argv.slice(2);
const runtime = new ProcessRuntime({ project: 'killed', clock: new SystemClock(), log: pino({ level: 'silent' }) });
const spec = serviceSpec({ process: { command: ['sh', '-c', script], cwd: process.cwd() } });
const options = { onProgress: (): void => undefined, signal: AbortSignal.timeout(10_000) };
const { runtimeId } = await runtime.create(spec, 1, await runtime.prepare(spec, options));

await runtime.startInstance(runtimeId);
const pids: number[] = [];
for await (const { text } of runtime.logs(runtimeId, { tail: 10, follow: true })) {
  pids.push(Number(text));
  if (pids.length === 3) break;
}
if (then === 'pause') await runtime.pauseInstance(runtimeId);
process.send?.(pids);
