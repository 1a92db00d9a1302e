import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from '../../lib/logger.ts';

/**
 * Reads the group it guards, unless it is told with the command, then waits until its standard input ends, which it does when the daemon is gone, however
 * it went. It is a shell script because it has to be there before its service is: a shell is up in 3 ms with 1 MB,
 * a Node process takes 85 ms (250 ms with TypeScript) and 40 MB. A stopped group is continued, or it could not hear SIGTERM.
 * POSIX leaves `sleep 0.1` open; where it is refused the grace is longer, not shorter.
 */
const SCRIPT = `
trap '' HUP INT TERM QUIT
group=$1 tenths=$2
[ -n "$group" ] || read -r group tenths || exit 0
while read -r word; do [ "$word" = over ] && exit 0; done
kill -s TERM -- "-$group" 2>/dev/null
kill -s CONT -- "-$group" 2>/dev/null
while [ "$tenths" -gt 0 ] && kill -s 0 -- "-$group" 2>/dev/null; do
  sleep 0.1 2>/dev/null || sleep 1
  tenths=$((tenths - 1))
done
kill -s KILL -- "-$group" 2>/dev/null
`;

/** How long a service may take to end by itself when the daemon was killed. */
const GRACE_MS = 5_000;
const GRACE_TENTHS = String(GRACE_MS / 100);
/** A supervisor that dies is replaced; one that cannot live is not replaced for ever. */
const MAX_LIVES = 5;

/**
 * Ends a process group when the daemon dies without a word: Node has no signal for the death of a parent.
 * It stands outside the group, so that pausing or killing the group leaves it alone.
 */
export class Supervisor {
  readonly #title: string;
  readonly #log: Logger;
  #child: ChildProcess | undefined;
  #groupId: number | undefined;
  #over = false;
  #lives = 0;

  /** `title` is what `ps` shows. */
  constructor(title: string, log: Logger) {
    this.#title = title;
    this.#log = log;
  }

  start(): void {
    this.#lives += 1;
    // One that replaces another knows its group from its first moment: the daemon may be killed in the next.
    const group = this.#groupId === undefined ? [] : [String(this.#groupId), GRACE_TENTHS];
    const child = spawn('/bin/sh', ['-c', SCRIPT, this.#title, ...group], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      // It needs `sleep`, and nothing of what the daemon knows.
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      cwd: '/',
    });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => this.#lost(error.message));
    child.on('exit', (code, signal) => this.#lost(`it ended with ${signal ?? String(code)}`));
    child.unref();
  }

  /** Resolves once the group is known: from then on it does not outlive the daemon. */
  guard(groupId: number): Promise<void> {
    this.#groupId = groupId;
    return new Promise((resolve) => {
      const stdin = this.#child?.stdin;
      if (stdin?.writable) stdin.write(`${groupId} ${GRACE_TENTHS}\n`, () => resolve());
      else resolve();
    });
  }

  /** The group is no more. Its number may be given to others, so the supervisor must forget it. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#child?.stdin?.end('over\n');
  }

  #lost(reason: string): void {
    if (this.#over) return;
    const again = this.#lives < MAX_LIVES;
    this.#log.warn({ reason, again }, `${this.#title} is gone; without it the service would outlive a killed daemon`);
    if (again) this.start();
  }
}
