import { ConfigError, type ConfigProblem } from '../../../src/config/config-error.ts';
import type { ManifestContext } from '../../../src/config/manifest/manifest-schema.ts';
import { parseManifest } from '../../../src/config/manifest/parse-manifest.ts';
import type { Manifest, ServiceSpec } from '../../../src/config/service-spec.ts';

/** A place for manifests that no test touches. */
export function contextFor(changes: Partial<ManifestContext> = {}): ManifestContext {
  return {
    domain: 'example.test',
    defaultPort: 3000,
    baseDir: '/srv/site',
    env: {},
    reservedHosts: ['proxy.example.test'],
    ...changes,
  };
}

/** What a manifest with this one service, `web`, means. */
export function serviceOf(web: unknown, changes?: Partial<ManifestContext>): ServiceSpec {
  const spec = parseManifest({ services: { web } }, contextFor(changes)).get('web');
  if (!spec) throw new Error('The manifest lost its service.');
  return spec;
}

/** What a manifest with these services means. */
export function manifestOf(services: Readonly<Record<string, unknown>>): Manifest {
  return parseManifest({ services }, contextFor());
}

/** What is wrong with a manifest; empty when nothing is. */
export function problemsOf(manifest: unknown, changes?: Partial<ManifestContext>): readonly ConfigProblem[] {
  try {
    parseManifest(manifest, contextFor(changes));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
