import type { RuntimeEvent } from '../../../fleet/runtime.ts';
import { isOfProject, keyOf } from '../../labels.ts';

/** One line of the engine's stream of events. */
export interface EngineEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
  readonly time?: number;
  readonly timeNano?: number;
}

const ACTIONS = ['start', 'die', 'stop', 'pause', 'unpause', 'destroy', 'oom', 'health_status'];

/**
 * What is asked for; `exec_*` alone would be hundreds a second while probes run. Not narrowed to the labels of the
 * project: what the engine tells of a network carries none.
 */
export const EVENT_FILTERS = { type: ['container', 'network'], event: [...ACTIONS, 'disconnect'] };

const BEGINS: ReadonlySet<string> = new Set(['start', 'unpause']);

/** Whose events are wanted. */
export interface Ours {
  readonly project: string;
  /** The name of the network that its instances are on. */
  readonly network: string;
}

/** What the fleet is told; undefined for what concerns none of this project's instances. */
export function toRuntimeEvent(event: EngineEvent, { project, network }: Ours): RuntimeEvent | undefined {
  if (event.Type === 'network') return ofNetwork(event, network);
  return event.Type === 'container' ? ofContainer(event, project) : undefined;
}

function ofContainer({ Action = '', Actor }: EngineEvent, project: string): RuntimeEvent | undefined {
  const labels = Actor?.Attributes ?? {};
  const key = keyOf(labels);
  const runtimeId = Actor?.ID;
  if (!key || !runtimeId || !isOfProject(labels, project)) return undefined;
  if (Action === 'oom') return { type: 'oom', key, runtimeId };
  const health = /^health_status: (healthy|unhealthy)/.exec(Action)?.[1];
  if (health) return { type: 'health', key, runtimeId, healthy: health === 'healthy' };
  if (BEGINS.has(Action)) return { type: 'changed', key, runtimeId, began: true };
  return ACTIONS.includes(Action) ? { type: 'changed', key, runtimeId } : undefined;
}

/** Also said whenever a container ends. */
function ofNetwork({ Action, Actor }: EngineEvent, network: string): RuntimeEvent | undefined {
  const { container: runtimeId, name } = Actor?.Attributes ?? {};
  return runtimeId && name === network && Action === 'disconnect' ? { type: 'unplugged', runtimeId } : undefined;
}

/** The instant of an event as the engine takes it in `since`. Nanoseconds since 1970 do not fit a double: the last digits are lost. */
export function eventTime({ time, timeNano }: EngineEvent): string | undefined {
  if (timeNano !== undefined) {
    // Rounded down to a microsecond: an event heard twice does no harm, one that is missed does.
    const microseconds = Math.floor(timeNano / 1000);
    return `${Math.floor(microseconds / 1e6)}.${String(microseconds % 1e6).padStart(6, '0')}000`;
  }
  return time === undefined ? undefined : `${time}.000000000`;
}
