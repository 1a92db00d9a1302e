import { createHash } from 'node:crypto';
import { portsOf, type ServiceSpec } from '../config/service-spec.ts';

/** JSON with the keys of every object in order, so that equal values have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32);
}

/**
 * What an instance is made from, apart from the image's contents: another hash, another instance.
 * Routes, sleeping, scaling and the like may change while it runs; `pull` says when, not what.
 */
export function configHash(spec: ServiceSpec, kind: 'docker' | 'process'): string {
  const { env, resources } = spec;
  if (kind === 'process') return hashOf({ env, resources, process: spec.process });
  const { source, command, volumes, user, labels, publish } = spec;
  const from = source.kind === 'image' ? { kind: source.kind, image: source.image } : source;
  return hashOf({ env, resources, command, volumes, user, labels, publish, source: from, ports: portsOf(spec) });
}
