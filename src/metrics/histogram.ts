/** How many were how large. */
export class Histogram {
  /** The upper bounds of all buckets but the last, which has none. */
  readonly bounds: readonly number[];
  readonly #buckets: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#buckets = new Array<number>(bounds.length + 1).fill(0);
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#buckets.reduce((sum, each) => sum + each, 0);
  }

  observe(value: number): void {
    const above = this.bounds.findIndex((bound) => value <= bound);
    const bucket = above < 0 ? this.bounds.length : above;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** Takes over what was counted elsewhere with the same bounds. */
  add(buckets: readonly number[], sum: number): void {
    for (const [index, count] of buckets.entries()) this.#buckets[index] = (this.#buckets[index] ?? 0) + count;
    this.#sum += sum;
  }

  /** How many were at most so large, for each bound in turn. */
  cumulated(): number[] {
    let sum = 0;
    return this.bounds.map((_, index) => (sum += this.#buckets[index] ?? 0));
  }
}
