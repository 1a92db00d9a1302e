import { isServing } from './instance-state.ts';
import type { Instance } from './instance.ts';

/** Whether all that serves was started by this process. */
export function startedHere(instances: readonly Instance[]): boolean {
  return instances.every((instance) => instance.startedHere || !isServing(instance.state));
}
