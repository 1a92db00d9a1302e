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

  /** The texts of the last lines, oldest first. */
  tail(count: number): string[] {
    return count > 0 ? this.#lines.slice(-count).map(({ text }) => text) : [];
  }

  async *read({ tail, follow, signal }: LogOptions): AsyncGenerator<LogLine> {
    let next = this.#oldest + Math.max(0, this.#lines.length - Math.max(0, tail));
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
