import type { ContainerInspectInfo } from 'dockerode';
import type { InstanceKey, ObservedInstance } from '../../../fleet/runtime.ts';
import { isOfProject, keyOf, LABELS } from '../../labels.ts';
import { endpointsOf, type EndpointMode } from './endpoints.ts';

export interface ObserveOptions {
  readonly project: string;
  readonly network: string;
  readonly mode: EndpointMode;
  readonly nowEpochMs: number;
}

const STATES: Readonly<Record<string, ObservedInstance['state']>> = {
  created: 'created',
  running: 'running',
  restarting: 'exited',
  paused: 'paused',
  exited: 'exited',
  dead: 'exited',
};

/** The HEALTHCHECK of the image as a command for `exec`. */
function healthCommandOf({ Config }: ContainerInspectInfo): readonly string[] | undefined {
  const config = Config as {
    Healthcheck?: { Test?: readonly string[] | null } | null;
    Shell?: readonly string[] | null;
  };
  const [kind, ...rest] = config.Healthcheck?.Test ?? [];
  if (kind === 'CMD' && rest.length > 0) return rest;
  if (kind === 'CMD-SHELL' && rest[0]) return [...(config.Shell ?? ['/bin/sh', '-c']), rest[0]];
  return undefined;
}

function observed(
  key: InstanceKey,
  container: ContainerInspectInfo,
  options: ObserveOptions,
): ObservedInstance | undefined {
  const { Id, Image, State, Config } = container;
  const state = STATES[State.Status];
  // `removing`: as good as gone.
  if (state === undefined) return undefined;
  const up = state === 'running' || state === 'paused';
  const healthCommand = healthCommandOf(container);
  return {
    key,
    runtimeId: Id,
    configHash: Config.Labels[LABELS.configHash] ?? '',
    imageId: Image,
    state,
    endpoints: up ? endpointsOf(container, options) : {},
    ...(up && { upMs: Math.max(0, options.nowEpochMs - Date.parse(State.StartedAt)) }),
    ...(state === 'exited' && { exit: { code: State.ExitCode, oomKilled: State.OOMKilled } }),
    ...(healthCommand && { healthCommand }),
  };
}

/** What the engine says of a container as the fleet sees it; undefined for one that is not of this project, or on its way out. */
export function observe(container: ContainerInspectInfo, options: ObserveOptions): ObservedInstance | undefined {
  const labels = container.Config.Labels;
  const key = keyOf(labels);
  return key && isOfProject(labels, options.project) ? observed(key, container, options) : undefined;
}
