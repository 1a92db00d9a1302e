import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadManifest } from '../../../src/config/load-manifest.ts';
import type { Manifest, ServiceSpec } from '../../../src/config/service-spec.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { settingsEnvironment } from '../../../src/config/settings-environment.ts';

const PATH = fileURLToPath(new URL('../../../services-manifest.ts', import.meta.url));

async function load(environment: Record<string, string>): Promise<Manifest> {
  const settings = loadSettings(environment);
  const context = {
    env: settingsEnvironment(environment),
    domain: settings.domain,
    defaultPort: settings.dockerFilePort,
  };
  return (await loadManifest(PATH, context)).manifest;
}

function service(manifest: Manifest, name: string): ServiceSpec {
  const found = manifest.get(name);
  if (!found) throw new Error(`The manifest has no ${name}.`);
  return found;
}

describe('the shipped manifest', () => {
  let development: Manifest;
  let production: Manifest;
  beforeAll(async () => {
    development = await load({});
    production = await load({ ENV: 'production', DOMAIN: 'example.org', BACKEND_SUBDOMAIN: 'api' });
  });

  it('has the three example services, none of which needs a registry', () => {
    expect([...development.keys()]).toEqual(['frontend', 'backend', 'stress']);
    for (const { source } of development.values()) expect(source.kind).toBe('build');
  });

  it('leads /api/ of the frontend to the backend', () => {
    const hosts = service(development, 'backend').routes.map(({ host, path }) => `${host}${path}`);
    expect(hosts).toEqual(['server.alkimia.localhost/', 'app.alkimia.localhost/api']);
    expect(service(production, 'backend').routes[0]?.host).toBe('api.example.org');
  });

  it('watches mounted sources in development, and runs what was built in production', () => {
    expect(service(development, 'backend').command).toContain('--watch');
    expect(service(development, 'backend').volumes.every(({ readOnly }) => readOnly)).toBe(true);
    expect(service(development, 'backend').volumes).toHaveLength(2);
    expect(service(production, 'backend').command).toEqual(['node', 'server.js']);
    expect(service(production, 'backend').volumes).toHaveLength(0);
  });

  it('tells a container the port that the settings choose', async () => {
    const manifest = await load({ BACKEND_PORT: '7171' });
    expect(service(manifest, 'backend')).toMatchObject({ port: 7171, env: { PORT: '7171' } });
  });

  it('names files that are there', () => {
    for (const { source, process } of development.values()) {
      if (source.kind !== 'build' || !process)
        throw new Error('An example service is built, and runs as a process too.');
      expect(existsSync(join(source.context, source.dockerfile))).toBe(true);
      expect(existsSync(join(process.cwd, 'server.js'))).toBe(true);
    }
  });
});
