import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { loadManifest } from '../config/load-manifest.ts';
import type { Manifest } from '../config/service-spec.ts';
import { settingsEnvironment } from '../config/settings-environment.ts';
import { loadSettings, type Settings } from '../config/settings.ts';
import { DaemonClient } from './daemon-client.ts';

/** What a verb works with: where it runs, and where it writes. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface GlobalOptions {
  readonly json?: boolean;
}

/** One line for people, or the whole for machines. */
export function print({ stdout }: CliContext, text: string): void {
  stdout.write(`${text}\n`);
}

export function printJson(context: CliContext, value: unknown): void {
  print(context, JSON.stringify(value, null, 2));
}

export async function readDotenv(): Promise<string> {
  try {
    return await readFile('.env', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new ConfigError('The settings', [{ field: '.env', message: `cannot be read: ${(error as Error).message}` }]);
  }
}

/** @throws ConfigError */
export async function settingsOf({ environment }: CliContext): Promise<Settings> {
  return loadSettings(environment, await readDotenv());
}

/** @throws ConfigError */
export async function manifestOf({ environment }: CliContext, settings: Settings): Promise<Manifest> {
  const { domain, dockerFilePort: defaultPort } = settings;
  const env = settingsEnvironment(environment, await readDotenv());
  const reservedHosts = [adminHostOf(settings)];
  const { manifest } = await loadManifest(settings.manifest, { domain, defaultPort, env, reservedHosts });
  return manifest;
}

export function adminHostOf({ adminSubdomain, domain }: Settings): string {
  return `${adminSubdomain}.${domain}`;
}

/** The daemon that these settings are of. */
export async function daemonOf(context: CliContext): Promise<DaemonClient> {
  const settings = await settingsOf(context);
  const stateDir = resolve(settings.stateDir);
  return new DaemonClient({
    // The relative path is the shorter one, and a socket's may have but a hundred bytes.
    socketPath: relative(process.cwd(), resolve(stateDir, 'control.sock')),
    adminHost: adminHostOf(settings),
    tokenFile: resolve(stateDir, 'admin-token'),
    ...(settings.adminToken !== undefined && { token: settings.adminToken }),
  });
}
