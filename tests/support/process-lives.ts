import { readFileSync } from 'node:fs';

/** Whether a process runs. One that has ended and was not collected yet does not, although it can still be signalled. */
export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return true;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
