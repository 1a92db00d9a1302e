import { isDnsLabel } from '../host-name.ts';

/** The name of a service: it becomes a label of host names, part of container names and of topics. */
export function complaintAboutServiceName(name: string): string | undefined {
  if (name.length > 40 || !isDnsLabel(name)) {
    return 'is not a name for a service: 1 to 40 lower-case letters, digits and hyphens (not at an end)';
  }
  if (name === 'proxy') return "is taken: 'proxy' stands for the daemon itself in topics and events";
  if (name === 'constructor') return 'is not a name for a service: it means something to JavaScript';
  return undefined;
}
