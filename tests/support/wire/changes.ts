/** Lets somebody wait for a state that changes by events, with a bound. */
export class Changes {
  readonly #waiters = new Set<() => void>();

  /** Something changed: whoever waits looks again. */
  notify(): void {
    for (const look of [...this.#waiters]) look();
  }

  /** Resolves with true as soon as `holds`, with false when that has not come about within `timeoutMs`. */
  until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (value: boolean): void => {
        this.#waiters.delete(look);
        clearTimeout(timer);
        resolve(value);
      };
      const look = (): void => {
        if (holds()) settle(true);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#waiters.add(look);
    });
  }
}
