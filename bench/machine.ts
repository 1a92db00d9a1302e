import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

/** The contestant has one core for itself, everything else the other. */
export const CONTESTANT_CORE = 0;
const LOAD_CORE = 1;

export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** What this machine needs before anything can be measured; empty when all is there. */
export function missingPrograms(): string[] {
  const missing = ['taskset', 'nginx', 'wrk', 'h2load'].filter((name) => !hasProgram(name));
  return cpus().length < 2 ? [...missing, 'a second core'] : missing;
}

/** Keeps this process, and the load and the upstream that it starts, off the core of the contestants. */
export function moveToLoadCore(): void {
  spawnSync('taskset', ['-acp', String(LOAD_CORE), String(process.pid)]);
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
  };
}
