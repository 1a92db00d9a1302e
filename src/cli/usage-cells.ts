import type { InstanceAnswer } from '../management/contract.ts';

/** CPU and memory of an instance as cells of a table; empty where nothing is known. */
export function usageCells({ cpuRatio, memoryBytes, memoryLimitBytes }: InstanceAnswer): [string, string] {
  const cpu = cpuRatio === null ? '' : `${Math.round(cpuRatio * 100)} %`;
  if (memoryBytes === null || memoryLimitBytes === null) return [cpu, ''];
  return [cpu, `${megabytes(memoryBytes)} of ${megabytes(memoryLimitBytes)} MB`];
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
