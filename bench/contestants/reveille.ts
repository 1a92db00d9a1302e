import { createRequire } from 'node:module';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOST, type Site } from '../site.ts';
import type { Contestant } from './contestant.ts';

/** The compiled daemon, with the options of Node that it has in production. */
export const COMMAND = [
  process.execPath,
  ...nodeArguments(),
  fileURLToPath(new URL('../../dist/main.js', import.meta.url)),
];
/** As many as a fleet has that nobody is looking at; with the usual five seconds the checks would be what is measured. */
const CHECK_EVERY = '1h';

/**
 * The daemon as it runs in production, but for the ports: compiled, one process, every setting at its default.
 * @param hosts how many hosts the manifest has; `localhost` is the first, the others are `h1.localhost` and so on
 */
export function reveille(hosts = 10): Contestant {
  return {
    name: hosts === 10 ? 'Reveille' : `Reveille, ${hosts} hosts`,
    abilities: ['proxy', 'http2', 'websocket'],
    async prepare(site, dir, port) {
      await writeFile(join(dir, 'services-manifest.ts'), manifest(site, hosts));
      return { command: COMMAND, env: await daemonSettings(site, dir, port) };
    },
  };
}

/** The settings of a daemon of the bench's own, in production, with its files in `dir`. */
export async function daemonSettings(site: Site, dir: string, port: number): Promise<Record<string, string>> {
  await mkdir(join(dir, 'certs'), { recursive: true });
  await copyFile(site.certPath, join(dir, 'certs/fullchain.pem'));
  await copyFile(site.keyPath, join(dir, 'certs/key.pem'));
  return {
    ...{ ENV: 'production', NODE_ENV: 'production', RUNTIME: 'process', PROJECT: `bench-${port}` },
    ...{ DOMAIN: HOST, LOCAL_IP: '127.0.0.1', HTTPS_PORT: String(port), HTTP_PORT: '' },
    ...{ MQTT_PORT: String(await site.newPort()), CERTS_DIR: join(dir, 'certs'), STATE_DIR: join(dir, 'state') },
    MANIFEST: join(dir, 'services-manifest.ts'),
  };
}

function nodeArguments(): readonly string[] {
  const { apps } = createRequire(import.meta.url)('../../ecosystem.config.cjs') as {
    readonly apps: readonly { readonly node_args: readonly string[] }[];
  };
  return apps[0]?.node_args ?? [];
}

function manifest({ upstreamPort, echoPort }: Site, hosts: number): string {
  const readiness = { tcp: true, interval: CHECK_EVERY };
  const upstream = { url: `http://127.0.0.1:${upstreamPort}`, readiness };
  const services: Record<string, unknown> = {
    h0: { routes: ['@'], ...upstream },
    echo: { routes: [{ host: '@', path: '/ws' }], url: `http://127.0.0.1:${echoPort}`, readiness },
  };
  for (let host = 1; host < hosts; host += 1) services[`h${host}`] = { routes: [`h${host}`], ...upstream };
  return `export default ${JSON.stringify({ services })};\n`;
}
