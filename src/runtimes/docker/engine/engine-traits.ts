import type { DockerVersion } from 'dockerode';
import type { Engine } from './engine.ts';

/** What a driver has to know of an engine before it makes containers there. */
export interface EngineTraits {
  readonly version: string;
  /** The engine's clock as `seconds.nanoseconds`, the form in which it takes `since`. */
  readonly time: string;
  /** Whether containers can have an init process that reaps and forwards signals. */
  readonly init: boolean;
  /** Whether the addresses of containers can be reached from here. */
  readonly reachable: boolean;
}

interface Info {
  readonly SystemTime?: string;
  readonly OperatingSystem?: string;
  readonly SecurityOptions?: readonly string[];
}

/** `2026-11-21T03:43:28.930455622Z` in seconds and nanoseconds since 1970. */
export function engineTime(iso: string | undefined): string {
  const epochMs = Date.parse(iso ?? '');
  if (Number.isNaN(epochMs)) return '0';
  const nanoseconds = (/\.(\d{1,9})/.exec(iso ?? '')?.[1] ?? '').padEnd(9, '0');
  return `${Math.floor(epochMs / 1000)}.${nanoseconds}`;
}

/** Desktop engines run in a virtual machine, rootless ones in a network of their own: both keep containers out of reach. */
function reachable(local: boolean, { OperatingSystem = '', SecurityOptions }: Info): boolean {
  const rootless = (SecurityOptions ?? []).some((option) => option.includes('rootless'));
  return local && process.platform === 'linux' && !rootless && !/docker desktop/i.test(OperatingSystem);
}

export async function describeEngine(engine: Engine, abortSignal: AbortSignal): Promise<EngineTraits> {
  const [info, version] = await Promise.all([engine.info(abortSignal), engine.version(abortSignal)]);
  const components = version.Components as DockerVersion['Components'] | undefined;
  const init = components?.find(({ Name }) => Name === 'docker-init')?.Version ?? 'N/A';
  return {
    version: version.Version,
    time: engineTime((info as Info).SystemTime),
    init: init !== '' && init !== 'N/A',
    reachable: reachable(engine.local, info as Info),
  };
}
