import { describe, expect, it } from 'vitest';
import { parseStat } from '../../../../src/runtimes/process/group-members.ts';

describe('a line of /proc/PID/stat', () => {
  it('is read behind a name that looks like fields', () => {
    expect(parseStat('42 (a) R 1 (b)) S 1 40 40 0')).toEqual({ pid: 42, groupId: 40, state: 'S' });
  });

  it('is nothing when the process has gone', () => {
    expect(parseStat('')).toBeUndefined();
  });
});
