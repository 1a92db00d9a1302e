import type { EngineSample } from '../../../src/runtimes/docker/containers/usage-reader.ts';

const MIB = 2 ** 20;

/** Counters of a container that works a third of the time, recorded from Docker 20.10 on two cores: nanoseconds, nanoseconds, bytes. */
const RECORDED = [
  [301_053_576, 71_807_400_000_000, 8_826_880],
  [597_961_914, 71_809_410_000_000, 8_904_704],
  [887_407_108, 71_811_450_000_000, 14_618_624],
  [1_183_031_146, 71_813_450_000_000, 8_876_032],
  [1_453_431_381, 71_815_480_000_000, 8_867_840],
] as const;

/** What `docker stats` showed of it meanwhile: percent of one core, and memory. */
export const SHOWN = [
  { percent: 29.54, mib: 8.492 },
  { percent: 28.38, mib: 13.94 },
  { percent: 29.56, mib: 8.465 },
  { percent: 26.64, mib: 8.457 },
] as const;

/** As an engine on cgroup v1 sends them. */
export const CGROUP_V1: readonly EngineSample[] = RECORDED.map(([used, system, usage]) => ({
  cpu_stats: {
    cpu_usage: { total_usage: used, percpu_usage: [used - 100_000, 100_000] },
    system_cpu_usage: system,
    online_cpus: 2,
  },
  memory_stats: { usage, limit: 256 * MIB, stats: { cache: 0, inactive_file: 0, total_inactive_file: 0 } },
}));

/**
 * The same as an engine on cgroup v2 sends it, after the reference of the Engine API (1.57, ContainerStats): no
 * `percpu_usage`, and the page cache, a part of `usage`, as `inactive_file` among fields that v1 does not have.
 */
export const CGROUP_V2: readonly EngineSample[] = RECORDED.map(([used, system, usage]) => ({
  cpu_stats: { cpu_usage: { total_usage: used }, system_cpu_usage: system, online_cpus: 2 },
  memory_stats: {
    usage: usage + 3 * MIB,
    limit: 256 * MIB,
    stats: { anon: usage, file: 3 * MIB, active_file: 0, inactive_file: 3 * MIB, slab: 240_000, workingset_refault: 0 },
  },
}));
