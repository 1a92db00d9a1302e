import type { LogLine, LogOptions } from '../../fleet/runtime.ts';

export interface LogRingLimits {
  readonly maxLines: number;
  /** Of text, in characters. */
  readonly maxLength: number;
}

/** The last lines that an instance wrote. A reader that is too slow misses lines rather than holding them back. */
export class LogRing {
  readonly #limits: LogRingLimits;
  readonly #lines: LogLine[] = [];
  /** How many lines have gone out of the ring: the number of the oldest that is left. */
  #oldest = 0;
  #length = 0;
  /** The number of the first line of the latest run. */
  #runFrom = 0;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(limits: LogRingLimits = { maxLines: 5_000, maxLength: 1_048_576 }) {
    this.#limits = limits;
  }

  push(line: LogLine): void {
    this.#lines.push(line);
    this.#length += line.text.length;
    while (this.#lines.length > this.#limits.maxLines || this.#length > this.#limits.maxLength) this.#drop();
    this.#wake();
  }

  /** What is written from now on is of another run. */
  beginRun(): void {
    this.#runFrom = this.#end;
  }

  /** The texts of the last lines of the latest run, oldest first. */
  tail(count: number): string[] {
    return this.#lines.slice(this.#last(count, true) - this.#oldest).map(({ text }) => text);
  }

  async *read({ tail, follow, latestRun = false, signal }: LogOptions): AsyncGenerator<LogLine> {
    let next = this.#last(tail, latestRun);
    while (!signal?.aborted) {
      next = Math.max(next, this.#oldest);
      const line = this.#lines[next - this.#oldest];
      if (line) {
        next += 1;
        yield line;
      } else if (follow && !this.#closed) {
        await this.#change(signal);
      } else {
        return;
      }
    }
  }

  /** Readers come to the end of what is there, and end. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** The number that the next line will have. */
  get #end(): number {
    return this.#oldest + this.#lines.length;
  }

  /** The number of the first of the last `count` lines. */
  #last(count: number, latestRun: boolean): number {
    return Math.max(this.#oldest, latestRun ? this.#runFrom : 0, this.#end - Math.max(0, count));
  }

  #drop(): void {
    this.#length -= this.#lines.shift()?.text.length ?? 0;
    this.#oldest += 1;
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
