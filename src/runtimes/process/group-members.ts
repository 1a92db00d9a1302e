import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Member {
  readonly pid: number;
  readonly groupId: number;
  /** The letter of ps(1); Z = has ended and waits to be collected. */
  readonly state: string;
}

/** The processes of a group that still live. */
export async function groupMembers(groupId: number): Promise<number[]> {
  return (await liveProcesses()).filter((member) => member.groupId === groupId).map(({ pid }) => pid);
}

/** All of this machine but the zombies: where nobody collects them they stay for ever. */
export async function liveProcesses(): Promise<Member[]> {
  const all = await (process.platform === 'linux' ? fromProc() : fromPs());
  return all.filter(({ state }) => !state.startsWith('Z'));
}

async function fromProc(): Promise<Member[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(names.map((name) => readFile(`/proc/${name}/stat`, 'latin1').catch(() => '')));
  return stats.flatMap((stat) => parseStat(stat) ?? []);
}

/** proc(5): `pid (name) state ppid pgrp ...`, where the name may hold anything, also spaces and brackets. */
export function parseStat(stat: string): Member | undefined {
  const [state, , groupId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === undefined || groupId === undefined) return undefined;
  return { pid: Number.parseInt(stat, 10), groupId: Number(groupId), state };
}

async function fromPs(): Promise<Member[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,pgid=,stat='], { timeout: 5_000 });
  return stdout.split('\n').flatMap((line) => {
    const [pid, groupId, state] = line.trim().split(/\s+/);
    return state === undefined ? [] : [{ pid: Number(pid), groupId: Number(groupId), state }];
  });
}
