import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { loadManifest } from '../config/load-manifest.ts';
import type { Manifest } from '../config/service-spec.ts';
import { settingsEnvironment } from '../config/settings/settings-environment.ts';
import { loadSettings, type Settings } from '../config/settings.ts';
import { DaemonClient } from './daemon-client.ts';

/** What a verb works with: where it runs, and where it writes. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where .env is, and what relative paths start from. Absolute. */
  readonly folder: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** What a verb that came to its end tells the shell. */
  exitCode: number;
}

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
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

export async function readDotenv({ folder }: CliContext): Promise<string> {
  try {
    return await readFile(resolve(folder, '.env'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new ConfigError('The settings', [{ field: '.env', message: `cannot be read: ${(error as Error).message}` }]);
  }
}

/** @throws ConfigError */
export async function settingsOf(context: CliContext): Promise<Settings> {
  return loadSettings(context.environment, await readDotenv(context));
}

/** @throws ConfigError */
export async function manifestOf(context: CliContext, settings: Settings): Promise<Manifest> {
  const { domain, dockerFilePort: defaultPort } = settings;
  const env = settingsEnvironment(context.environment, await readDotenv(context));
  const reservedHosts = [adminHostOf(settings)];
  const path = resolve(context.folder, settings.manifest);
  const { manifest } = await loadManifest(path, { domain, defaultPort, env, reservedHosts });
  return manifest;
}

export function adminHostOf({ adminSubdomain, domain }: Settings): string {
  return `${adminSubdomain}.${domain}`;
}

/** The daemon that these settings are of. */
export async function daemonOf(context: CliContext): Promise<DaemonClient> {
  const settings = await settingsOf(context);
  const stateDir = resolve(context.folder, settings.stateDir);
  return new DaemonClient({
    // The relative path is the shorter one, and a socket's may have but a hundred bytes.
    socketPath: relative(process.cwd(), resolve(stateDir, 'control.sock')),
    adminHost: adminHostOf(settings),
    tokenFile: resolve(stateDir, 'admin-token'),
    ...(settings.adminToken !== undefined && { token: settings.adminToken }),
  });
}
