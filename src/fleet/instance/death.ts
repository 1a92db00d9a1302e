import type { StopReason } from '../events.ts';
import type { Exit } from '../runtime.ts';

/** Why an instance ended by itself, for machines and for people. */
export interface Death {
  readonly reason: Extract<StopReason, 'error' | 'resource_limit'>;
  readonly code: 'instance_exited' | 'out_of_memory';
  readonly detail: string;
}

export function deathOf(instanceId: string, exit: Exit): Death {
  if (exit.oomKilled) {
    const detail = `${instanceId} was ended for using more than its memory limit; raise resources.memory`;
    return { reason: 'resource_limit', code: 'out_of_memory', detail };
  }
  if (exit.removed) {
    const detail = `${instanceId} was removed by somebody else while it ran`;
    return { reason: 'error', code: 'instance_exited', detail };
  }
  const detail = `${instanceId} ended by itself with exit code ${exit.code}; see its log`;
  return { reason: 'error', code: 'instance_exited', detail };
}
