import { expect, it } from 'vitest';
import { liveProcesses, type Member } from '../../../../src/runtimes/process/group-members.ts';
import { GroupUsage } from '../../../../src/runtimes/process/group-usage.ts';
import { ProcessTable } from '../../../../src/runtimes/process/process-table.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';

/** This very process, as the only one of a group; it has used a lot of CPU before it is first looked at. */
const US = 1;

it('the CPU of a group is not counted from the beginning once more after a look that found nobody', async () => {
  const clock = new FakeClock();
  let seen: readonly Member[] = [{ pid: process.pid, groupId: US, state: 'S' }];
  const usage = new GroupUsage(US, clock, new ProcessTable(clock, () => Promise.resolve(seen)));
  const us = seen;
  expect((await usage.read()).cores).toBeNull();
  clock.advance(1_000);
  seen = [];
  expect(await usage.read()).toEqual({ cores: null, memoryBytes: null });
  clock.advance(1_000);
  seen = us;
  const usedMs = (process.cpuUsage().user + process.cpuUsage().system) / 1_000;
  const { cores, memoryBytes } = await usage.read();
  // Two seconds of the clock, in which far less was used than in the whole life of this process.
  expect(cores).toBeLessThan(usedMs / 2_000 / 2);
  expect(memoryBytes).toBeGreaterThan(0);
});

it('a process that has ended since the look is left out', async () => {
  const clock = new FakeClock();
  const taken = new Set((await liveProcesses()).map(({ pid }) => pid));
  let gone = 4_000_000;
  while (taken.has(gone)) gone -= 1;
  const members = [process.pid, gone].map((pid) => ({ pid, groupId: US, state: 'S' }));
  const usage = new GroupUsage(US, clock, new ProcessTable(clock, () => Promise.resolve(members)));
  expect((await usage.read()).memoryBytes).toBeGreaterThan(0);
});
