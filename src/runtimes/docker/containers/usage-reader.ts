import type { Usage } from '../../../fleet/runtime.ts';

interface CpuStats {
  readonly cpu_usage?: { readonly total_usage?: number; readonly percpu_usage?: readonly number[] | null };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

/** The part of a sample of the engine that counts; absent parts are how a stopped container shows. */
export interface EngineSample {
  readonly cpu_stats?: CpuStats;
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number | undefined>>;
  };
}

export interface UsageLimits {
  /** How many cores; what 1 is a ratio of. */
  readonly cpus: number;
  readonly memoryBytes: number;
}

interface CpuCounters {
  readonly used: number;
  readonly system: number;
  readonly cores: number;
}

function countersOf({ cpu_usage: usage, system_cpu_usage: system, online_cpus }: CpuStats): CpuCounters | undefined {
  const used = usage?.total_usage;
  if (system === undefined || used === undefined) return undefined;
  // Old engines do not count the cores, but list them.
  return { used, system, cores: online_cpus ?? (usage?.percpu_usage?.length || 1) };
}

/** Page cache that can be dropped at any time is not what a service needs: cgroup v1 and v2 call it by other names. */
function memoryOf({ memory_stats: memory }: EngineSample): number | null {
  if (memory?.usage === undefined) return null;
  const cache = memory.stats?.['total_inactive_file'] ?? memory.stats?.['inactive_file'] ?? 0;
  // As `docker stats` does it: what cannot be a part of the whole is not taken off.
  return cache < memory.usage ? memory.usage - cache : memory.usage;
}

/** Turns the engine's counters into ratios, with its own previous sample: the engine's is missing in the first and after a pause. */
export class UsageReader {
  readonly #limits: UsageLimits;
  #previous: CpuCounters | undefined;

  constructor(limits: UsageLimits) {
    this.#limits = limits;
  }

  read(sample: EngineSample): Usage {
    const memoryLimitBytes = sample.memory_stats?.limit ?? this.#limits.memoryBytes;
    return {
      cpuRatio: this.#cpuRatio(sample),
      memoryBytes: memoryOf(sample),
      memoryLimitBytes: Math.min(memoryLimitBytes, this.#limits.memoryBytes || memoryLimitBytes),
    };
  }

  #cpuRatio({ cpu_stats: cpu = {} }: EngineSample): number | null {
    const previous = this.#previous;
    const now = countersOf(cpu);
    this.#previous = now;
    if (!previous || !now) return null;
    const systemDelta = now.system - previous.system;
    const usedDelta = now.used - previous.used;
    // Counters that stand still or fall back: a restart lies between the two samples.
    if (systemDelta <= 0 || usedDelta < 0) return null;
    return ((usedDelta / systemDelta) * now.cores) / (this.#limits.cpus || now.cores);
  }
}

/** A container that does not run has neither counters nor memory. */
export function isStopped({ cpu_stats, memory_stats }: EngineSample): boolean {
  return memory_stats?.usage === undefined && !cpu_stats?.system_cpu_usage;
}
