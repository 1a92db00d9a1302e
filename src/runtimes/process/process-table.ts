import type { Clock } from '../../lib/clock.ts';
import { liveProcesses, type Member } from './group-members.ts';

/** Readings come once a second, and those of all instances within a second share one look. */
const MAX_AGE_MS = 900;

/** Who belongs to which process group. To look at every process of the machine is dear: it is done once for all groups. */
export class ProcessTable {
  readonly #clock: Clock;
  readonly #list: () => Promise<readonly Member[]>;
  #looked: { readonly atMs: number; readonly groups: Promise<ReadonlyMap<number, readonly number[]>> } | undefined;

  constructor(clock: Clock, list: () => Promise<readonly Member[]> = liveProcesses) {
    this.#clock = clock;
    this.#list = list;
  }

  /** The processes of a group, as they were less than a second ago. */
  async members(groupId: number): Promise<readonly number[]> {
    const nowMs = this.#clock.now();
    if (!this.#looked || nowMs - this.#looked.atMs >= MAX_AGE_MS) {
      this.#looked = { atMs: nowMs, groups: this.#look() };
    }
    return (await this.#looked.groups).get(groupId) ?? [];
  }

  async #look(): Promise<ReadonlyMap<number, readonly number[]>> {
    const groups = new Map<number, number[]>();
    for (const { pid, groupId } of await this.#list()) {
      const pids = groups.get(groupId);
      if (pids) pids.push(pid);
      else groups.set(groupId, [pid]);
    }
    return groups;
  }
}
