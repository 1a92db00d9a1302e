import { readdirSync, readFileSync } from 'node:fs';
import { processLives } from './process-lives.ts';

/** The processes of this machine whose environment holds the text. Linux only. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(text))
    .map(Number)
    .filter((pid) => pid !== process.pid && processLives(pid));
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    // It ended meanwhile, or belongs to somebody else.
    return '';
  }
}
