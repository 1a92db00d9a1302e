const SAMPLE_MS = 1_000;

/** How much CPU this process used within the last second, all its threads together, in percent of one core. */
export class CpuMeter {
  percent = 0;
  #usage = process.cpuUsage();
  #at = performance.now();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  start() {
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  close() {
    clearInterval(this.#timer);
  }

  #sample() {
    const { user, system } = process.cpuUsage(this.#usage);
    const now = performance.now();
    this.percent = Math.round((user + system) / 10 / (now - this.#at));
    this.#usage = process.cpuUsage();
    this.#at = now;
  }
}
