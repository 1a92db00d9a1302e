import type { Manifest } from '../config/service-spec.ts';

const THIS_MACHINE: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The service of the manifest that MONGO_DB_URI leads to; undefined when somebody else runs the database. */
export function managedStore(manifest: Manifest, uri: string | undefined, domain: string): string | undefined {
  const address = uri === undefined ? undefined : addressOf(uri);
  if (!address) return undefined;
  for (const { name, replicaSet, publish } of manifest.values()) {
    const published = publish.some(({ hostPort }) => hostPort === address.port);
    const meant = THIS_MACHINE.has(address.host) || address.host === `${name}.${domain}`;
    if (replicaSet !== undefined && published && meant) return name;
  }
  return undefined;
}

/** Of a URI with one host; the managed replica set has one member. */
function addressOf(uri: string): { readonly host: string; readonly port: number } | undefined {
  const http = uri.replace(/^mongodb:/, 'http:');
  if (!URL.canParse(http)) return undefined;
  const { hostname: host, port } = new URL(http);
  return { host, port: Number(port || 27_017) };
}
