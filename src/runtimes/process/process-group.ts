import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { sleep, type Clock, type Timer } from '../../lib/clock.ts';
import { deferred } from '../../lib/deferred.ts';
import type { Logger } from '../../lib/logger.ts';
import { groupMembers } from './group-members.ts';
import { Supervisor } from './supervisor.ts';

export interface ProcessGroupOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Names the supervisor, for who looks at the processes of the machine. */
  readonly title: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
}

/**
 * Waits until the supervisor knows the group, and then becomes the command. Were the command started at once, a daemon
 * killed in between would leave it behind. When the daemon dies first, the read fails and nothing runs.
 */
const LAUNCHER = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const POLL_MS = 10;
/** How long the killed may take to vanish, and the last output to arrive. */
const AFTERMATH_MS = 1_000;

/** A command with all that it starts: one process group, ended as one, and never left behind. */
export class ProcessGroup {
  readonly #options: ProcessGroupOptions;
  readonly #supervisor: Supervisor;
  readonly #ended = deferred<number>();
  readonly #over = new AbortController();
  #child: ChildProcess | undefined;
  #ending: Timer | undefined;
  /** Until when the members that outlive the leader are waited for. */
  #patienceEndsMs = 0;

  constructor(options: ProcessGroupOptions) {
    this.#options = options;
    this.#supervisor = new Supervisor(options.title, options.log);
  }

  /** Also the process id of the leader. */
  get id(): number {
    return this.#child?.pid ?? 0;
  }

  /** The exit code of the leader, 128 + n after signal n; resolves when the whole group is gone. Never rejects. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /** Aborts at the same moment. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Rejects when the system makes no process of it. */
  async start(): Promise<void> {
    this.#supervisor.start();
    const child = this.#spawn();
    this.#child = child;
    try {
      await spawned(child);
    } catch (error) {
      this.#supervisor.close();
      throw error;
    }
    child.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.once(
      'exit',
      (code, signal) => void this.#aftermath(code ?? 128 + constants.signals[signal ?? 'SIGKILL'], closed),
    );
    await this.#supervisor.guard(this.id);
    const gate = child.stdio[3];
    if (gate && 'end' in gate) gate.end('go\n');
  }

  /** Sends a signal to every process of the group; false when none is left. */
  signal(signal: NodeJS.Signals | 0): boolean {
    // The number of a group that is gone may belong to others.
    if (this.#over.signal.aborted || this.id === 0) return false;
    try {
      process.kill(-this.id, signal);
      return true;
    } catch {
      return false;
    }
  }

  /** Asks all of it to end, and kills what is left after `graceMs`. Resolves when it is gone. */
  async end(graceMs: number): Promise<void> {
    if (!this.#ending) {
      this.#ending = this.#options.clock.after(graceMs, () => this.signal('SIGKILL'));
      this.#patienceEndsMs = this.#options.clock.now() + graceMs + AFTERMATH_MS;
      this.signal('SIGTERM');
      // What is stopped hears the request only once it goes on.
      this.signal('SIGCONT');
    }
    await this.ended;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  #spawn(): ChildProcess {
    const { command, cwd, env, title, onOutput } = this.#options;
    // A shell drops variables whose names it could not have made itself, such as `server.port`: these go without.
    const gated = Object.keys(env).every((name) => SHELL_NAME.test(name));
    const [file = '', ...args] = gated ? ['/bin/sh', '-c', LAUNCHER, title, ...command] : command;
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', gated ? 'pipe' : 'ignore'];
    const child = spawn(file, args, { cwd, env, detached: true, stdio });
    child.stdio[3]?.on('error', () => undefined);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('error', () => undefined);
      child[name]?.on('data', (chunk: Buffer) => onOutput(name, chunk));
    }
    return child;
  }

  /** The leader has ended: the others end too, at once, or within the grace when they were asked to. */
  async #aftermath(code: number, closed: Promise<void>): Promise<void> {
    const { clock } = this.#options;
    if (!this.#ending) {
      this.signal('SIGKILL');
      this.#patienceEndsMs = clock.now() + AFTERMATH_MS;
    }
    while (clock.now() < this.#patienceEndsMs && (await this.#someLive())) await sleep(clock, POLL_MS);
    this.#ending?.cancel();
    this.#over.abort();
    this.#supervisor.close();
    // A process that left the group may hold the pipes open for as long as it likes.
    await Promise.race([closed, sleep(clock, AFTERMATH_MS)]);
    for (const pipe of this.#child?.stdio ?? []) pipe?.destroy();
    this.#ended.resolve(code);
  }

  async #someLive(): Promise<boolean> {
    if (!this.signal(0)) return false;
    return (await groupMembers(this.id)).length > 0;
  }
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}
