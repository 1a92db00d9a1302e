import { readdirSync, readFileSync } from 'node:fs';

export interface TreeUsage {
  /** Microseconds of CPU that the process and all its children have had, those that have ended included. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** Linux counts CPU time in hundredths of a second, whatever the kernel's own tick. */
const TICK_MICROS = 10_000;
const PAGE_BYTES = 4_096;

/** What a process and all below it have used. What has ended in between is not counted as zero but as an error. */
export function treeUsage(rootPid: number): TreeUsage {
  const all = new Map(processes().map((each) => [each.pid, each]));
  let cpuTicks = 0;
  let pages = 0;
  for (const each of all.values()) {
    if (!isBelow(all, each, rootPid)) continue;
    cpuTicks += each.cpuTicks;
    pages += each.pages;
  }
  if (!all.has(rootPid)) throw new Error(`process ${rootPid} has ended`);
  return { cpuMicros: cpuTicks * TICK_MICROS, rssBytes: pages * PAGE_BYTES };
}

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly cpuTicks: number;
  readonly pages: number;
}

function processes(): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => factsOf(Number(name)) ?? []);
}

/** Undefined for one that has ended meanwhile. The name, in brackets, may hold anything; the fields stand behind it. */
function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, utime = 0, stime = 0, cutime = 0, cstime = 0, pages = 0] = [1, 11, 12, 13, 14, 21].map(
      (at) => fields[at],
    );
    return { pid, parent, cpuTicks: utime + stime + cutime + cstime, pages };
  } catch {
    return undefined;
  }
}

function isBelow(all: ReadonlyMap<number, ProcessFacts>, start: ProcessFacts, rootPid: number): boolean {
  let each: ProcessFacts | undefined = start;
  while (each !== undefined && each.pid !== rootPid) each = all.get(each.parent);
  return each !== undefined;
}
