import type { InstanceKey } from '../../../fleet/runtime.ts';

/** A part of a container name; Docker allows [a-zA-Z0-9][a-zA-Z0-9_.-]+. */
function namePart(text: string): string {
  const allowed = text.replace(/[^a-zA-Z0-9_.-]+/g, '-').replace(/^[^a-zA-Z0-9]+/, '');
  return allowed === '' ? 'x' : allowed;
}

/** `<project>-<service>-<n>`: the same for every daemon, so that the engine itself is the mutex between two of them. */
export function containerName(project: string, { service, index }: InstanceKey): string {
  return `${namePart(project)}-${namePart(service)}-${index}`;
}

/** `reveille/<project>-<service>`; repository names are lower case with single separators. */
export function imageRepository(project: string, service: string): string {
  const part = `${project}-${service}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `reveille/${part.replace(/^-+|-+$/g, '')}`;
}
