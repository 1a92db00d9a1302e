import pidusage from 'pidusage';
import type { Clock } from '../../lib/clock.ts';
import type { ProcessTable } from './process-table.ts';

export interface GroupReading {
  /** How many cores were busy since the reading before; null in the first. */
  readonly cores: number | null;
  readonly memoryBytes: number | null;
}

/** Reads what a process group uses; keeps the reading before, because a CPU share is a difference. */
export class GroupUsage {
  readonly #groupId: number;
  readonly #clock: Clock;
  readonly #table: ProcessTable;
  #before: { readonly atMs: number; readonly cpuMsByPid: ReadonlyMap<number, number> } | undefined;

  constructor(groupId: number, clock: Clock, table: ProcessTable) {
    this.#groupId = groupId;
    this.#clock = clock;
    this.#table = table;
  }

  async read(): Promise<GroupReading> {
    const stats = await this.#stats();
    // Without a reading there is nothing to compare the next one with but the one before.
    if (stats.length === 0) return { cores: null, memoryBytes: null };
    const atMs = this.#clock.now();
    const cpuMsByPid = new Map(stats.map(({ pid, ctime }) => [pid, ctime]));
    const cores = this.#coresSince(atMs, cpuMsByPid);
    this.#before = { atMs, cpuMsByPid };
    return { cores, memoryBytes: stats.reduce((sum, { memory }) => sum + memory, 0) };
  }

  async #stats(): Promise<pidusage.Status[]> {
    const pids = await this.#table.members(this.#groupId);
    if (pids.length === 0) return [];
    // Some may end between the listing and the reading; that is no failure.
    const byPid: Record<string, pidusage.Status | undefined> = await pidusage([...pids]).catch(() => ({}));
    return Object.values(byPid).flatMap((status) => status ?? []);
  }

  /** By process: one that has ended since would otherwise make the sum fall. */
  #coresSince(atMs: number, cpuMsByPid: ReadonlyMap<number, number>): number | null {
    if (!this.#before || atMs <= this.#before.atMs) return null;
    let busyMs = 0;
    for (const [pid, cpuMs] of cpuMsByPid) busyMs += Math.max(0, cpuMs - (this.#before.cpuMsByPid.get(pid) ?? 0));
    return busyMs / (atMs - this.#before.atMs);
  }
}
