import { beforeEach, describe, expect, it } from 'vitest';
import type { Member } from '../../../../src/runtimes/process/group-members.ts';
import { ProcessTable } from '../../../../src/runtimes/process/process-table.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';

const process = (pid: number, groupId: number): Member => ({ pid, groupId, state: 'S' });

describe('the table of processes', () => {
  let clock: FakeClock;
  let looks: number;
  let there: Member[];
  let table: ProcessTable;
  beforeEach(() => {
    clock = new FakeClock();
    looks = 0;
    there = [process(10, 10), process(11, 10), process(20, 20)];
    table = new ProcessTable(clock, () => {
      looks += 1;
      return Promise.resolve(there);
    });
  });

  it('knows the processes of each group, and of a group that is gone none', async () => {
    expect(await Promise.all([10, 20, 30].map((id) => table.members(id)))).toEqual([[10, 11], [20], []]);
  });

  it('looks once for all groups that are asked for within a second', async () => {
    await Promise.all([10, 20, 30].map((id) => table.members(id)));
    clock.advance(500);
    await table.members(20);
    expect(looks).toBe(1);
  });

  it('sees a second later who has come and gone', async () => {
    await table.members(10);
    there = [process(11, 10), process(12, 10)];
    clock.advance(1_000);
    expect(await table.members(10)).toEqual([11, 12]);
    expect(looks).toBe(2);
  });
});
