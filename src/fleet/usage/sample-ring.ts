import type { UsageSample } from './usage-sample.ts';

/** What differs from sample to sample of one instance. */
export type SampleValues = Omit<UsageSample, 'service' | 'instanceId'>;

const FIELDS = 5;

/**
 * The last samples of one instance, in a block of numbers that never grows: a minute of objects for each of hundreds of
 * instances would be a burden for the garbage collector.
 */
export class SampleRing {
  readonly #capacity: number;
  readonly #numbers: Float64Array;
  /** How many have ever been added. */
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#numbers = new Float64Array(capacity * FIELDS);
  }

  add({ atEpochMs, cpuRatio, memoryBytes, memoryLimitBytes, inFlight }: SampleValues): void {
    const row = [atEpochMs, cpuRatio ?? Number.NaN, memoryBytes ?? Number.NaN, memoryLimitBytes, inFlight];
    this.#numbers.set(row, (this.#count % this.#capacity) * FIELDS);
    this.#count += 1;
  }

  /** The oldest first. */
  all(): SampleValues[] {
    const kept = Math.min(this.#count, this.#capacity);
    return Array.from({ length: kept }, (_, n) => this.#at((this.#count - kept + n) % this.#capacity));
  }

  #at(row: number): SampleValues {
    const from = row * FIELDS;
    const [atEpochMs = 0, cpu = Number.NaN, memory = Number.NaN, memoryLimitBytes = 0, inFlight = 0] =
      this.#numbers.subarray(from, from + FIELDS);
    return { atEpochMs, cpuRatio: known(cpu), memoryBytes: known(memory), memoryLimitBytes, inFlight };
  }
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
