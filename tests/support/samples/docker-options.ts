import { pino } from 'pino';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { DockerRuntimeOptions } from '../../../src/runtimes/docker/docker-runtime.ts';

/** A driver for one project that says nothing, with every required option filled in. */
export function dockerOptions(project: string, changes: Partial<DockerRuntimeOptions> = {}): DockerRuntimeOptions {
  return {
    project,
    network: `${project}-net`,
    proxyId: 'test',
    domain: 'example.localhost',
    buildTimeoutMs: 120_000,
    clock: new SystemClock(),
    log: pino({ level: 'silent' }),
    hostsOf: () => [],
    ...changes,
  };
}
