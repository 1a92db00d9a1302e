import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { hostsOf } from './addresses.ts';
import type { Manifest } from '../config/service-spec.ts';
import type { Settings } from '../config/settings.ts';
import type { Runtime } from '../fleet/runtime.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { keptSecret } from '../lib/secret-file.ts';
import type { DockerRuntime } from '../runtimes/docker/docker-runtime.ts';

export interface OpenRuntimeOptions {
  readonly settings: Settings;
  readonly proxyId: string;
  /** Read whenever an instance is made. */
  readonly environment: Readonly<Record<string, string>>;
  /** The newest. */
  readonly manifest: () => Manifest;
  readonly caPath: () => string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The runtime that `RUNTIME` names. `auto` takes Docker when it answers, and processes when it does not and there is a
 * service that can run as one; the `notice` says so then.
 */
export async function openRuntime(options: OpenRuntimeOptions): Promise<{ runtime: Runtime; notice?: string }> {
  const { runtime: wanted } = options.settings;
  if (wanted === 'process') return { runtime: await createProcessRuntime(options) };
  const docker = await createDockerRuntime(options);
  await docker.start();
  const canFallBack = wanted === 'auto' && [...options.manifest().values()].some((spec) => spec.process !== undefined);
  if (docker.condition.up || !canFallBack) return { runtime: docker };
  await docker.close();
  const how = 'install Docker and start again, or set RUNTIME=process to do so on purpose';
  const why = `No container engine: services run as processes of this machine. ${docker.condition.reason} (${how})`;
  return { runtime: await createProcessRuntime(options), notice: why };
}

async function createProcessRuntime({ settings, environment, clock, log }: OpenRuntimeOptions): Promise<Runtime> {
  const { ProcessRuntime } = await import('../runtimes/process/process-runtime.ts');
  return new ProcessRuntime({ project: settings.project, clock, log, environment });
}

async function createDockerRuntime(options: OpenRuntimeOptions): Promise<DockerRuntime> {
  // The client for the engine takes a third of a second to load: only where there may be one.
  const { DockerRuntime } = await import('../runtimes/docker/docker-runtime.ts');
  const { settings, proxyId, environment, manifest, caPath, clock, log } = options;
  const { dockerHost, project, dockerNetwork: network, domain, limits, stateDir } = settings;
  return new DockerRuntime({
    ...{ project, network, proxyId, domain, environment, clock, log },
    ...(dockerHost !== undefined && { dockerHost }),
    buildTimeoutMs: limits.buildTimeoutMs,
    hostsOf: () => hostsOf(manifest()),
    trustCa: async () => {
      const path = caPath();
      return path === undefined ? undefined : readFile(path, 'utf8');
    },
    replicaSetKey: () => keptSecret(resolve(stateDir, 'replica-set-key'), 48),
  });
}
