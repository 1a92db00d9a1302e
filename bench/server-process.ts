import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface ServerCommand {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where it listens once it is up, on 127.0.0.1. */
  readonly port: number;
  /** The only core that it may use; where this process is, unless given. */
  readonly core?: number;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/** A server as a child process, from the moment when it accepts connections until it has ended. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @throws Error with what it wrote, when it does not come up */
  static async start({ name, command, cwd, env = {}, port, core }: ServerCommand): Promise<ServerProcess> {
    const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command];
    const [program = '', ...words] = pinned;
    const { PATH = '', HOME = '', DOCKER_HOST } = process.env;
    const inherited = { PATH, HOME, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }) };
    const child = spawn(program, words, { cwd, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.on('error', (error) => (output += error.message));
    child.stdout.on('data', (text: Buffer) => (output = `${output}${text.toString()}`.slice(-10_000)));
    child.stderr.on('data', (text: Buffer) => (output = `${output}${text.toString()}`.slice(-10_000)));
    const killAtExit = (): void => void child.kill('SIGKILL');
    process.once('exit', killAtExit);
    child.once('exit', () => process.off('exit', killAtExit));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await accepts(port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${name} did not come up:\n${output}`);
      }
      await pause(20);
    }
    return new ServerProcess(child, port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(kill);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
