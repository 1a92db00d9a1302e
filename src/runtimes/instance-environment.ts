import { instanceId, type InstanceKey } from '../fleet/runtime.ts';

/** How an instance learns who it is. */
export function instanceEnvironment(key: InstanceKey): Record<string, string> {
  return { REVEILLE_SERVICE: key.service, REVEILLE_INSTANCE: instanceId(key) };
}
