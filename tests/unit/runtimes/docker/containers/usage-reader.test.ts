import { describe, expect, it } from 'vitest';
import {
  isStopped,
  UsageReader,
  type EngineSample,
} from '../../../../../src/runtimes/docker/containers/usage-reader.ts';
import { CGROUP_V1, CGROUP_V2, SHOWN } from '../../../../support/samples/engine-samples.ts';

function sample(
  used: number,
  system: number,
  memory: EngineSample['memory_stats'] = { usage: 100, limit: 1000, stats: {} },
): EngineSample {
  return {
    cpu_stats: { cpu_usage: { total_usage: used }, system_cpu_usage: system, online_cpus: 2 },
    memory_stats: memory,
  };
}

const LIMITS = { cpus: 0.5, memoryBytes: 1000 };

describe('the usage of a container', () => {
  it('cannot be told from one sample', () => {
    expect(new UsageReader(LIMITS).read(sample(10, 1000)).cpuRatio).toBeNull();
  });

  it('is the share of the CPU limit between two samples', () => {
    const reader = new UsageReader(LIMITS);
    reader.read(sample(0, 0));
    // A quarter of the time of two cores is half a core, which is all that it may have.
    expect(reader.read(sample(250, 1000)).cpuRatio).toBeCloseTo(1);
  });

  it('is unknown across a restart, when the counters fall back', () => {
    const reader = new UsageReader(LIMITS);
    reader.read(sample(500, 1000));
    expect(reader.read(sample(10, 2000)).cpuRatio).toBeNull();
    expect(reader.read(sample(10, 2000)).cpuRatio).toBeNull();
    expect(reader.read(sample(10, 3000)).cpuRatio).toBe(0);
  });

  it.each([
    ['v1', { total_inactive_file: 30, inactive_file: 5 }, 70],
    ['v2', { inactive_file: 25 }, 75],
    ['neither', {}, 100],
  ])('leaves the page cache of cgroup %s out', (_version, stats, expected) => {
    const usage = new UsageReader(LIMITS).read(sample(0, 0, { usage: 100, limit: 1000, stats }));
    expect(usage).toMatchObject({ memoryBytes: expected, memoryLimitBytes: 1000 });
  });

  it.each([
    ['v1', CGROUP_V1],
    ['v2', CGROUP_V2],
  ])('is what `docker stats` shows, from the samples of an engine on cgroup %s', (_version, samples) => {
    const reader = new UsageReader({ cpus: 0.5, memoryBytes: 256 * 2 ** 20 });
    const [first, ...usages] = samples.map((each) => reader.read(each));
    expect(first?.cpuRatio).toBeNull();
    expect(usages).toHaveLength(SHOWN.length);
    for (const [index, { percent, mib }] of SHOWN.entries()) {
      expect((usages[index]?.cpuRatio ?? 0) * 50).toBeCloseTo(percent, 2);
      expect((usages[index]?.memoryBytes ?? 0) / 2 ** 20).toBeCloseTo(mib, 2);
    }
  });

  it('is null, not zero, where there are no counters', () => {
    expect(new UsageReader(LIMITS).read({ cpu_stats: {}, memory_stats: {} })).toEqual({
      cpuRatio: null,
      memoryBytes: null,
      memoryLimitBytes: 1000,
    });
  });

  it('of a stopped container shows as the absence of both', () => {
    expect(isStopped({ cpu_stats: { cpu_usage: { total_usage: 0 }, system_cpu_usage: 0 }, memory_stats: {} })).toBe(
      true,
    );
    expect(isStopped(sample(0, 1))).toBe(false);
  });
});
