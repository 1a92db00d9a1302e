import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../../src/lib/free-port.ts';

/** Whether this machine has the broker. */
export const hasMosquitto = spawnSync('mosquitto', ['-h']).error === undefined;

/** A real broker on a port of 127.0.0.1 that stays the same when it is stopped and started again. */
export class Mosquitto {
  readonly port: number;
  readonly folder: string;
  readonly #lines: string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, lines: string[]) {
    this.port = port;
    this.folder = folder;
    this.#lines = lines;
  }

  /** `lines` are further lines of mosquitto.conf for the listener; `files` are put into `folder`, the working folder. */
  static async create(
    lines: string[] = ['allow_anonymous true'],
    files: Record<string, string> = {},
  ): Promise<Mosquitto> {
    const folder = await mkdtemp(path.join(tmpdir(), 'reveille-mosquitto-'));
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
    return new Mosquitto(await freePort(), folder, lines);
  }

  async start(): Promise<void> {
    const configuration = path.join(this.folder, 'mosquitto.conf');
    const own = ['user root', 'persistence false', 'log_dest none', `listener ${this.port} 127.0.0.1`];
    await writeFile(configuration, [...own, ...this.#lines, ''].join('\n'));
    this.#process = spawn('mosquitto', ['-c', configuration], { cwd: this.folder, stdio: 'ignore' });
    this.#process.on('error', () => undefined);
    while (!(await this.#listens())) {
      if (this.#process.exitCode !== null) throw new Error(`mosquitto ended with ${this.#process.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** From now on it takes connections, as far as the system does that for it, and answers nothing. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  }
}
