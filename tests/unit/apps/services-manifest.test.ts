import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadManifest } from '../../../src/config/load-manifest.ts';
import type { Manifest, ServiceSpec } from '../../../src/config/service-spec.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { settingsEnvironment } from '../../../src/config/settings/settings-environment.ts';
import { managedStore } from '../../../src/composition/managed-store.ts';
import { managedBroker } from '../../../src/messaging/managed-broker.ts';

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

  const examples = ['frontend', 'backend', 'stress'];

  it('has the three example services, none of which needs a registry', () => {
    expect([...development.keys()].slice(0, 3)).toEqual(examples);
    for (const name of examples) expect(service(development, name).source.kind).toBe('build');
  });

  it('has a broker that nothing depends on, and that does not stand where the embedded one is', () => {
    const mqtt = service(development, 'mqtt');
    expect(mqtt.routes).toEqual([{ host: 'mqtt.alkimia.localhost', path: '/', port: 9001 }]);
    expect(mqtt).toMatchObject({ source: { kind: 'image', image: 'eclipse-mosquitto:2' }, scale: { min: 0 } });
    for (const { dependsOn } of development.values()) expect(dependsOn).not.toHaveProperty('mqtt');
    expect(managedBroker(development, 1883)).toBeUndefined();
    expect(managedBroker(development, 1884)).toEqual({ service: 'mqtt', url: 'mqtt://127.0.0.1:1884' });
  });

  it('has a MongoDB that nothing depends on, and that the URI of .env.example leads to', () => {
    const uri = 'mongodb://mongoadmin:secret@localhost:27017/?replicaSet=rs0';
    expect(service(development, 'mongodb')).toMatchObject({ replicaSet: 'rs0', sleep: false, scale: { min: 0 } });
    for (const { dependsOn } of development.values()) expect(dependsOn).not.toHaveProperty('mongodb');
    expect(managedStore(development, uri, 'alkimia.localhost')).toBe('mongodb');
    expect(readFileSync(fileURLToPath(new URL('../../../.env.example', import.meta.url)), 'utf8')).toContain(uri);
  });

  it('lets nobody in from outside without a password, in production', () => {
    const [configuration] = service(production, 'mqtt').volumes;
    expect(readFileSync(configuration?.source ?? '', 'utf8')).toMatch(
      /^listener 9001\nprotocol websockets\nallow_anonymous false$/m,
    );
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
    for (const { source, process } of examples.map((name) => service(development, name))) {
      if (source.kind !== 'build' || !process)
        throw new Error('An example service is built, and runs as a process too.');
      expect(existsSync(join(source.context, source.dockerfile))).toBe(true);
      expect(existsSync(join(process.cwd, 'server.js'))).toBe(true);
    }
  });
});
