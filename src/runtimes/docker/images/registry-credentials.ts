import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RegistryConfig } from 'dockerode';

interface CliConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string } | undefined>>;
  readonly credHelpers?: Readonly<Record<string, string | undefined>>;
  readonly credsStore?: string;
}

/** What the API takes in X-Registry-Auth: a password or an identity token. */
export interface RegistryAuth {
  readonly serveraddress: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

const HELPER_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 64 * 1024;

/** `docker-credential-<helper> get`, with the registry on its standard input. */
function askHelper(helper: string, registry: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(`docker-credential-${helper}`, ['get'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: HELPER_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.on('error', () => resolve(undefined));
    child.stdin.on('error', () => undefined);
    child.stdout.on('error', () => undefined);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
    });
    child.on('close', (code) => resolve(code === 0 ? output : undefined));
    child.stdin.end(registry);
  });
}

/** Credentials for registries, found where `docker login` left them. Nothing is kept: a new login counts at once. */
export class RegistryCredentials {
  readonly #directory: string;

  constructor(directory = process.env['DOCKER_CONFIG'] || join(homedir(), '.docker')) {
    this.#directory = directory;
  }

  /** Undefined when nobody logged in there: the pull goes out without credentials. */
  async find(registry: string): Promise<RegistryAuth | undefined> {
    const config = await this.#read();
    const helper = config.credHelpers?.[registry] ?? config.credsStore;
    return (helper && (await this.#fromHelper(helper, registry))) || this.#fromFile(config, registry);
  }

  /** All that a build may need, by registry: its FROM lines pull too. */
  async all(): Promise<RegistryConfig> {
    const config = await this.#read();
    const registries = [...Object.keys(config.auths ?? {}), ...Object.keys(config.credHelpers ?? {})];
    const found = await Promise.all(registries.map(async (registry) => [registry, await this.find(registry)] as const));
    const known = found.flatMap(([registry, auth]) =>
      auth?.password === undefined ? [] : [[registry, auth] as const],
    );
    return Object.fromEntries(
      known.map(([registry, { username = '', password = '' }]) => [registry, { username, password }]),
    );
  }

  async #read(): Promise<CliConfig> {
    try {
      const config: unknown = JSON.parse(await readFile(join(this.#directory, 'config.json'), 'utf8'));
      return typeof config === 'object' && config !== null ? config : {};
    } catch {
      // Absent, or broken: the docker CLI says so when it is used; a public image needs none of it.
      return {};
    }
  }

  async #fromHelper(helper: string, registry: string): Promise<RegistryAuth | undefined> {
    // The name becomes a program name: nothing but a plain word may stand there.
    if (!/^[\w.-]+$/.test(helper)) return undefined;
    try {
      const answer = JSON.parse((await askHelper(helper, registry)) ?? 'null') as {
        Username?: string;
        Secret?: string;
      } | null;
      if (!answer?.Secret) return undefined;
      if (answer.Username === '<token>') return { serveraddress: registry, identitytoken: answer.Secret };
      return { serveraddress: registry, username: answer.Username ?? '', password: answer.Secret };
    } catch {
      return undefined;
    }
  }

  #fromFile({ auths = {} }: CliConfig, registry: string): RegistryAuth | undefined {
    const entry = auths[registry] ?? auths[`https://${registry}`] ?? auths[`https://${registry}/v1/`];
    if (entry?.identitytoken) return { serveraddress: registry, identitytoken: entry.identitytoken };
    const [username, ...rest] = Buffer.from(entry?.auth ?? '', 'base64')
      .toString('utf8')
      .split(':');
    return username ? { serveraddress: registry, username, password: rest.join(':') } : undefined;
  }
}
