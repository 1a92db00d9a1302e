import type { InstanceKey } from '../fleet/runtime.ts';

/** The labels by which Reveille knows what it made. A container without them, or of another project, is not ours. */
export const LABELS = {
  managed: 'dev.reveille.managed',
  project: 'dev.reveille.project',
  service: 'dev.reveille.service',
  index: 'dev.reveille.index',
  configHash: 'dev.reveille.config-hash',
  /** Which daemon made it. */
  proxy: 'dev.reveille.proxy',
  /** The container ports that bytes may be sent to, separated by commas. */
  ports: 'dev.reveille.ports',
  /** A hash of what lies outside of the spec (route names, gateway, trust); a difference replaces only what does not run. */
  surroundings: 'dev.reveille.surroundings',
} as const;

type Labels = Readonly<Record<string, string>>;

/** What everything carries that belongs to a project: containers, networks, volumes, images. */
export function projectLabels(project: string): Record<string, string> {
  return { [LABELS.managed]: 'true', [LABELS.project]: project };
}

export function isOfProject(labels: Labels | null | undefined, project: string): boolean {
  return labels?.[LABELS.managed] === 'true' && labels[LABELS.project] === project;
}

/** Which instance the labels name; undefined when they name none. */
export function keyOf(labels: Labels): InstanceKey | undefined {
  const service = labels[LABELS.service];
  const index = Number(labels[LABELS.index]);
  return service && Number.isSafeInteger(index) && index > 0 ? { service, index } : undefined;
}

export function portsOfLabels(labels: Labels): number[] {
  const ports = (labels[LABELS.ports] ?? '').split(',').map(Number);
  return ports.filter((port) => Number.isInteger(port) && port > 0 && port < 65_536);
}
