import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DaemonContainers } from './daemon-containers.ts';
import { HttpsClient, type Answer, type AskOptions } from '../clients/https-client.ts';
import { until, type Patience } from '../until.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = join(ROOT, 'src/main.ts');
const CLI = join(ROOT, 'src/cli/main.ts');
const TSX = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href;
const UP = 'Reveille is up';
const START_TIMEOUT_MS = 60_000;

/** One line of the log; those of events have the name of the event in `event`. */
export type LogLine = Readonly<Record<string, unknown>> & {
  readonly msg: string;
  readonly event?: string;
  readonly service?: string;
};

export interface StartUp {
  readonly port: number;
  /** The URL of the broker. */
  readonly broker: string;
  readonly runtime: string;
}

export interface DaemonOptions {
  /** The services of the manifest. */
  readonly services?: Readonly<Record<string, unknown>>;
  /** Instead of `services`: the whole text of the manifest. */
  readonly manifest?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Settings that are left to .env. */
  readonly unset?: readonly string[];
  /** Runs as this user, where we are root. */
  readonly uid?: number;
  /** Where Docker is not to be tidied up afterwards. */
  readonly withoutDocker?: boolean;
}

/**
 * The real daemon as a process of its own, with a folder, a project, a domain and ports that nobody else has.
 * `dispose` ends it and removes all that it made, whatever happened to it before.
 */
export class Daemon {
  readonly name = `e2e${randomBytes(4).toString('hex')}`;
  readonly domain = `${this.name}.localhost`;
  readonly dir: string;
  readonly containers = new DaemonContainers(this.name);
  /** All it has written, over all its lives. */
  output = '';
  /** The authority of its certificates, as PEM. */
  ca = '';
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;
  #lifeFrom = 0;
  #client: HttpsClient | undefined;
  readonly #killAtExit = (): void => void this.#child?.kill('SIGKILL');

  private constructor(dir: string, options: DaemonOptions) {
    this.dir = dir;
    this.#options = options;
    process.once('exit', this.#killAtExit);
  }

  /** Makes it and starts it. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = await Daemon.make(options);
    try {
      await daemon.boot();
    } catch (error) {
      await daemon.dispose();
      throw error;
    }
    return daemon;
  }

  /** Makes it but does not start it. */
  static async make(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(await mkdtemp(join(tmpdir(), 'rv-')), options);
    if (!options.withoutDocker) await daemon.containers.follow();
    if (options.uid !== undefined) await chown(daemon.dir, options.uid, options.uid);
    await daemon.writeManifest(options.manifest ?? options.services ?? {});
    return daemon;
  }

  /** Whether another user may read the daemon's own files. */
  static mayRunAs(uid: number): boolean {
    return spawnSync(process.execPath, ['--check', join(ROOT, 'eslint.config.js')], { uid }).status === 0;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The log of its present life. */
  get log(): readonly LogLine[] {
    const lines = this.output.slice(this.#lifeFrom).split('\n');
    return lines
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** What it says when it is up, to people or to machines. */
  get up(): StartUp {
    const line = this.log.find(({ msg }) => msg === UP);
    if (line) return line as unknown as StartUp;
    const text = this.output.slice(this.#lifeFrom);
    if (!text.includes(UP)) throw new Error(`the daemon is not up:\n${this.output}`);
    const value = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
    const port = Number(value(/ dashboard +https:\/\/[^\s:]+:(\d+)/));
    return { port, broker: value(/ mqtt +(\S+)/), runtime: value(/ runtime +(\S+)/) };
  }

  get client(): HttpsClient {
    if (!this.#client) throw new Error('the daemon was not started');
    return this.#client;
  }

  get env(): Record<string, string> {
    const { PATH = '', HOME = '', DOCKER_HOST } = process.env;
    const env: Record<string, string> = {
      ...{ PATH, HOME, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }) },
      ...{ PROJECT: this.name, DOMAIN: this.domain, DOCKER_NETWORK: `${this.name}-net`, RUNTIME: 'docker' },
      ...{ HTTPS_PORT: '0', HTTP_PORT: '', MQTT_PORT: '0', LOG_FORMAT: 'json', LOG_LEVEL: 'debug', ACCESS_LOG: 'all' },
      ...{ STATE_DIR: join(this.dir, 'state'), CERTS_DIR: join(this.dir, 'certs') },
      MANIFEST: join(this.dir, 'services-manifest.ts'),
      ...this.#options.env,
    };
    return Object.fromEntries(Object.entries(env).filter(([key]) => !this.#options.unset?.includes(key)));
  }

  host(service: string): string {
    return `${service}.${this.domain}`;
  }

  /** A request to a service under its subdomain. What was logged before the answer stands in `log` when it resolves. */
  async ask(service: string, options?: AskOptions): Promise<Answer> {
    const answer = await this.client.ask(this.host(service), options);
    // The log comes over a pipe of its own, which is read within the same turn of the event loop.
    await setImmediate();
    return answer;
  }

  /** A request to the management API, with the token. */
  async api(method: string, path: string, body?: unknown): Promise<Answer> {
    const token = await readFile(join(this.dir, 'state/admin-token'), 'utf8');
    const headers = { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' };
    const text = body === undefined ? (method === 'POST' ? '{}' : undefined) : JSON.stringify(body);
    return this.ask('proxy', { method, path: `/api${path}`, headers, ...(text !== undefined && { body: text }) });
  }

  /** The events of one type, of one service when it is named. */
  events(type: string, service?: string): readonly LogLine[] {
    return this.log.filter((line) => line.event === type && (service === undefined || line.service === service));
  }

  /** Resolves with the first such event. */
  event(type: string, service?: string, patience?: Patience): Promise<LogLine> {
    return until(() => this.events(type, service)[0], patience);
  }

  async writeManifest(manifest: string | Readonly<Record<string, unknown>>): Promise<void> {
    const text =
      typeof manifest === 'string' ? manifest : `export default ${JSON.stringify({ services: manifest }, null, 2)};\n`;
    await writeFile(join(this.dir, 'services-manifest.ts'), text);
  }

  async writeEnv(text: string): Promise<void> {
    await writeFile(join(this.dir, '.env'), text);
  }

  /** Starts it, also once more after it ended; resolves when it is up. */
  async boot(): Promise<void> {
    this.#spawn();
    const { child, ended } = this.#life();
    const isUp = (): boolean => /Reveille is up[^]*\n/.test(this.output.slice(this.#lifeFrom));
    await until(() => isUp() || child.exitCode !== null, { timeout: START_TIMEOUT_MS });
    if (!isUp()) throw new Error(`the daemon ended with ${String(await ended)} while it started:\n${this.output}`);
    this.ca = await readFile(join(this.dir, 'state/ca/rootCA.pem'), 'utf8');
    this.#client = new HttpsClient({ port: this.up.port, ca: this.ca });
  }

  /** Sends a signal and resolves with its exit code when it has ended; null when the signal itself ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child, ended } = this.#life();
    child.kill(signal);
    return ended;
  }

  /** Runs the CLI in the daemon's folder, with its settings. */
  cli(...words: string[]): Promise<{ readonly code: number | null; readonly output: string }> {
    return this.#run(['--import', TSX, CLI, ...words]);
  }

  /** Starts a daemon that is expected to end by itself. */
  failedBoot(): Promise<{ readonly code: number | null; readonly output: string }> {
    return this.#run(['--import', TSX, MAIN]);
  }

  async dispose(): Promise<void> {
    process.off('exit', this.#killAtExit);
    if (this.#child) await this.end('SIGKILL');
    if (!this.#options.withoutDocker) await this.containers.removeAll();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #run(words: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
    const child = spawn(process.execPath, words, { cwd: this.dir, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    return { code: child.exitCode, output };
  }

  #spawn(): void {
    this.#lifeFrom = this.output.length;
    const options = { cwd: this.dir, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[] };
    const { uid } = this.#options;
    // Without a shell or a wrapper in between, so that a signal reaches the daemon itself.
    const child = spawn(process.execPath, ['--import', TSX, MAIN], {
      ...options,
      ...(uid !== undefined && { uid, gid: uid }),
    });
    child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.#child = child;
  }

  #life(): { child: ChildProcess; ended: Promise<number | null> } {
    const child = this.#child;
    if (!child) throw new Error('the daemon was never started');
    const over = child.exitCode !== null || child.signalCode !== null;
    return { child, ended: over ? Promise.resolve(child.exitCode) : once(child, 'exit').then(() => child.exitCode) };
  }
}
