const GROWTH = 1.05;
const SMALLEST_MS = 0.05;
const BUCKETS = 310;

/** Latencies in buckets that grow by five percent each, from 0.05 ms to three minutes: any number of them in a fixed space. */
export class LatencyHistogram {
  #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #sum = 0;
  #max = 0;

  /** @param {number} ms */
  record(ms) {
    const index = Math.ceil(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / Math.log(GROWTH));
    const bucket = Math.min(BUCKETS - 1, index);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
    this.#sum += ms;
    this.#max = Math.max(this.#max, ms);
  }

  /**
   * @param {number} ratio  0.5 = the median
   * @returns {number | null} in ms, at most five percent too high; null when there is nothing yet
   */
  percentile(ratio) {
    if (this.#total === 0) return null;
    let left = Math.max(1, Math.ceil(this.#total * ratio));
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      // The last bucket has no upper end.
      const end = index === BUCKETS - 1 ? this.#max : SMALLEST_MS * GROWTH ** index;
      if (left <= 0) return round(Math.min(this.#max, end));
    }
    return round(this.#max);
  }

  summary() {
    return {
      mean: this.#total === 0 ? null : round(this.#sum / this.#total),
      p50: this.percentile(0.5),
      p90: this.percentile(0.9),
      p99: this.percentile(0.99),
      max: this.#total === 0 ? null : round(this.#max),
    };
  }
}

/** @param {number} ms */
function round(ms) {
  return Math.round(ms * 100) / 100;
}
