import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = 'docker-registry';
/** It ends by itself after this many seconds, also when the test runner was killed. */
const LIFETIME_S = 180;
const START_TIMEOUT_MS = 30_000;

/** Whether this machine has the program; if not, the reason is printed, as tests that need it are skipped. */
export function registryAvailable(): boolean {
  const available = spawnSync(PROGRAM, ['--version']).status === 0;
  if (!available) console.warn(`skipped: tests that pull, for there is no ${PROGRAM} (a package of Debian)`);
  return available;
}

export interface RegistryOptions {
  /** A line of an htpasswd file (bcrypt): without these credentials nothing is given out. */
  readonly htpasswd?: string;
}

/** A real registry on a port of 127.0.0.1 that the system chose, with its storage in a folder of its own. */
export class DockerRegistry {
  /** `127.0.0.1:port`, the first part of its image names. */
  readonly host: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(host: string, folder: string, child: ChildProcess) {
    this.host = host;
    this.#folder = folder;
    this.#child = child;
  }

  static async start({ htpasswd }: RegistryOptions = {}): Promise<DockerRegistry> {
    const folder = await mkdtemp(join(tmpdir(), 'rv-registry-'));
    const users = join(folder, 'htpasswd');
    if (htpasswd !== undefined) await writeFile(users, `${htpasswd}\n`);
    const config = {
      version: '0.1',
      log: { level: 'info', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
      http: { addr: '127.0.0.1:0', secret: 'test' },
      ...(htpasswd !== undefined && { auth: { htpasswd: { realm: 'test', path: users } } }),
    };
    const file = join(folder, 'config.yml');
    // JSON is YAML.
    await writeFile(file, JSON.stringify(config));
    const command = ['-k', '1', String(LIFETIME_S), PROGRAM, 'serve', file];
    const child = spawn('timeout', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      return new DockerRegistry(await hostOf(child), folder, child);
    } catch (error) {
      child.kill();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async dispose(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Reads its log up to the line that tells the address; what it writes later is thrown away. */
function hostOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (): void => reject(new Error(`${PROGRAM} did not begin to listen: ${log}`));
    const timer = setTimeout(fail, START_TIMEOUT_MS);
    child.on('error', fail).on('exit', fail);
    child.stderr?.on('error', fail).setEncoding('utf8');
    child.stderr?.on('data', (text: string) => {
      log = (log + text).slice(-20_000);
      const host = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
      if (host === undefined) return;
      clearTimeout(timer);
      resolve(host);
    });
  });
}
