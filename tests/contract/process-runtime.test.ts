import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { SystemClock } from '../../src/lib/clock.ts';
import { ProcessRuntime } from '../../src/runtimes/process/process-runtime.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { runtimeSuite } from './runtime-suite.ts';

const cwd = fileURLToPath(new URL('../fixtures/image', import.meta.url));

runtimeSuite('child processes', {
  open: async () => {
    const project = `test-${randomUUID().slice(0, 8)}`;
    const runtime = new ProcessRuntime({ project, clock: new SystemClock(), log: pino({ level: 'silent' }) });
    await runtime.start();
    return { runtime, close: () => runtime.close() };
  },
  spec: (overrides) =>
    serviceSpec({
      name: `web-${randomUUID().slice(0, 8)}`,
      source: { kind: 'process' },
      process: { command: ['node', 'server.mjs'], cwd },
      ...overrides,
    }),
  missing: () =>
    serviceSpec({ name: 'absent', source: { kind: 'process' }, process: { command: ['no-such-command'], cwd } }),
});
