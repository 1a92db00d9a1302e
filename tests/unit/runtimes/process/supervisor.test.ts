import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { processLives } from '../../../support/process-lives.ts';
import { until, untilPasses } from '../../../support/until.ts';

const daemon = fileURLToPath(new URL('daemon.ts', import.meta.url));
/** A service with a child and a grandchild; each tells its number. */
const FAMILY = 'echo $$; sh -c "echo \\$\\$; (sh -c \'echo \\$\\$; exec sleep 300\'); exit 0"; exit 0';
/** As FAMILY, and none of them ends when it is asked to. */
const STUBBORN = `trap '' TERM; ${FAMILY}`;

async function startDaemon(
  script: string,
  then = '',
): Promise<{ pids: number[]; daemonPid: number; kill: () => Promise<unknown> }> {
  const child = fork(daemon, [script, then], { execArgv: ['--import', import.meta.resolve('tsx')] });
  const [pids] = (await once(child, 'message')) as [number[]];
  const exited = once(child, 'exit');
  return {
    pids,
    daemonPid: child.pid!,
    kill: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

/** The supervisors that a daemon has started. */
function supervisorsOf(daemonPid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent] = line.trim().split(/\s+/);
    return Number(parent) === daemonPid && line.includes('reveille-supervisor killed web-1') ? Number(pid) : [];
  });
}

describe.concurrent('a daemon that is killed', () => {
  for (const [what, script, then] of [
    ['takes its services with it, children and grandchildren', FAMILY, ''],
    ['takes those with it that are paused', FAMILY, 'pause'],
    ['takes those with it that do not listen', STUBBORN, ''],
  ] as const) {
    it(what, async () => {
      const { pids, kill } = await startDaemon(script, then);
      expect(pids).toHaveLength(3);
      expect(pids.every(processLives)).toBe(true);
      await kill();
      await untilPasses(() => expect(pids.filter(processLives)).toEqual([]));
    });
  }

  it('takes its services with it although a supervisor was killed before', async () => {
    const { pids, daemonPid, kill } = await startDaemon(FAMILY);
    const [first] = await until(() => ofLength(1, supervisorsOf(daemonPid)));
    process.kill(first!, 'SIGKILL');
    await until(() =>
      ofLength(
        1,
        supervisorsOf(daemonPid).filter((pid) => pid !== first),
      ),
    );
    await kill();
    await untilPasses(() => expect(pids.filter(processLives)).toEqual([]));
  });
});

function ofLength<T>(length: number, items: T[]): T[] | undefined {
  return items.length === length ? items : undefined;
}
