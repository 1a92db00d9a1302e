import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../src/lib/free-port.ts';
import { DaemonContainers } from './daemon-containers.ts';
import { HttpsClient } from '../clients/https-client.ts';
import { TestAuthority } from '../test-certificate.ts';
import { until } from '../until.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PM2 = join(ROOT, 'node_modules/pm2/bin/pm2');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

export interface ManagedProcess {
  readonly pid: number;
  readonly name: 'control' | 'proxy';
  readonly pm_id: number;
  readonly pm2_env: { readonly status: string; readonly restart_time: number };
}

export interface ProductionOptions {
  readonly services: Readonly<Record<string, unknown>>;
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The daemon as `npm run proxy-production` starts it: built, under a pm2 of its own, with names and ports that nobody else has. */
export class Production {
  readonly name = `prod${randomBytes(4).toString('hex')}`;
  readonly domain = `${this.name}.localhost`;
  readonly dir: string;
  readonly containers = new DaemonContainers(this.name);
  readonly #options: ProductionOptions;
  readonly #authority: TestAuthority;
  readonly #port: number;

  private constructor(dir: string, options: ProductionOptions, authority: TestAuthority, port: number) {
    this.dir = dir;
    this.#options = options;
    this.#authority = authority;
    this.#port = port;
  }

  static async start(options: ProductionOptions): Promise<Production> {
    const dir = await mkdtemp(join(tmpdir(), 'rv-'));
    const made = new Production(dir, options, await TestAuthority.make(), await freePort());
    try {
      await made.containers.follow();
      await made.#build();
      await made.writeManifest(options.services);
      await made.writeCertificate();
      await made.pm2('start', 'ecosystem.config.cjs', '--env', 'production');
    } catch (error) {
      await made.dispose();
      throw error;
    }
    return made;
  }

  get port(): number {
    return this.#port;
  }

  get ca(): string {
    return this.#authority.ca;
  }

  get client(): HttpsClient {
    return new HttpsClient(this);
  }

  get env(): Record<string, string> {
    const { PATH = '', HOME = '', DOCKER_HOST } = process.env;
    return {
      ...{ PATH, HOME, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }) },
      ...{ PM2_HOME: join(this.dir, 'pm2'), PM2_DISABLE_VERSION_CHECK: '1', WORKERS: String(this.#options.workers) },
      ...{ ENV: 'production', PROJECT: this.name, DOMAIN: this.domain, DOCKER_NETWORK: `${this.name}-net` },
      ...{ LOCAL_IP: '127.0.0.1', HTTPS_PORT: String(this.#port), HTTP_PORT: '', MQTT_PORT: '0', STATE_DIR: 'state' },
      ...this.#options.env,
    };
  }

  host(service: string): string {
    return `${service}.${this.domain}`;
  }

  async writeManifest(services: Readonly<Record<string, unknown>>): Promise<void> {
    const text = `export default ${JSON.stringify({ services }, null, 2)};\n`;
    await writeFile(join(this.dir, 'services-manifest.ts'), text);
  }

  /** A new certificate by the same authority. */
  writeCertificate(): Promise<void> {
    return this.#authority.write(join(this.dir, 'certs'), [this.domain, `*.${this.domain}`]);
  }

  /** @returns what it wrote. @throws when it failed */
  pm2(...words: string[]): Promise<string> {
    return this.#run([PM2, ...words]);
  }

  cli(...words: string[]): Promise<string> {
    return this.#run([join(this.dir, 'dist/cli/main.js'), ...words]);
  }

  async processes(name?: ManagedProcess['name']): Promise<readonly ManagedProcess[]> {
    const text = await this.pm2('jlist', '--silent');
    const all = JSON.parse(text.slice(text.indexOf('['))) as ManagedProcess[];
    return all.filter((one) => name === undefined || one.name === name);
  }

  /** The logs of all processes of one kind. */
  async log(name: ManagedProcess['name']): Promise<string> {
    const folder = join(this.dir, 'pm2/logs');
    const files = (await readdir(folder)).filter((file) => file.startsWith(name));
    return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('');
  }

  /** Kills a process and resolves when another one serves in its place. */
  async killAndWait(name: ManagedProcess['name'], pid: number): Promise<void> {
    process.kill(pid, 'SIGKILL');
    const replaced = async (): Promise<boolean> => {
      const all = await this.processes(name);
      return all.every((one) => one.pid !== pid && one.pid > 0 && one.pm2_env.status === 'online');
    };
    await until(replaced, { timeout: 60_000, interval: 100 });
  }

  async dispose(): Promise<void> {
    await this.pm2('kill').catch(() => undefined);
    await this.containers.removeAll().catch(() => undefined);
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** What a clone has after `npm ci && npm run build`. */
  async #build(): Promise<void> {
    await this.#run([TSC, '-p', join(ROOT, 'tsconfig.build.json'), '--noCheck', '--outDir', join(this.dir, 'dist')]);
    for (const file of ['package.json', 'ecosystem.config.cjs']) await cp(join(ROOT, file), join(this.dir, file));
    await symlink(join(ROOT, 'node_modules'), join(this.dir, 'node_modules'));
  }

  async #run(words: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, words, { cwd: this.dir, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    // The daemon of pm2 keeps what it inherits, so that the streams may stay open after the end.
    await once(child, 'exit');
    if (child.exitCode !== 0) throw new Error(`${words.join(' ')} ended with ${String(child.exitCode)}:\n${output}`);
    return output;
  }
}
