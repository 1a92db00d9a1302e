import { z } from 'zod';
import type { Fleet } from '../fleet/fleet.ts';
import type { SampleRecord, StateStore } from '../fleet/state-store.ts';
import type { UsageSample } from '../fleet/usage/usage-sample.ts';
import type { SampleAnswer, SamplesAnswer } from './contract.ts';
import { queryCount, queryInstant } from './request-input.ts';

export const samplesQuery = z.object({
  since: queryInstant(),
  limit: queryCount(1, 10_000).default(1_000),
});

/** What the instances of a service have used: the last minutes from memory; with `since`, what the store keeps as well. */
export async function sampleHistory(
  service: string,
  { since, limit }: z.infer<typeof samplesQuery>,
  { fleet, store }: { readonly fleet: Pick<Fleet, 'monitor'>; readonly store: StateStore },
): Promise<SamplesAnswer> {
  const recent = fleet.monitor.samples(service).map(recentSample);
  if (since === undefined) return { service, samples: recent.slice(-limit) };
  const stored = (await store.listSamples({ service, since, limit })).map(storedSample);
  // What is in memory may be stored already; memory knows more of it.
  const all = new Map([...stored, ...recent].map((sample) => [`${sample.instance} ${sample.at}`, sample]));
  const samples = [...all.values()].filter(({ at }) => at >= since).sort((a, b) => (a.at < b.at ? -1 : 1));
  return { service, samples: samples.slice(-limit) };
}

function recentSample({ service: _, instanceId: instance, atEpochMs, ...values }: UsageSample): SampleAnswer {
  return { instance, at: new Date(atEpochMs).toISOString(), ...values };
}

function storedSample({ instance, at, cpu, memory, inFlight }: SampleRecord): SampleAnswer {
  const cpuRatio = cpu === null ? null : cpu / 100;
  return { instance, at, cpuRatio, memoryBytes: memory, memoryLimitBytes: null, inFlight };
}
