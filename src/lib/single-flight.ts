/**
 * Runs at most one `task` at a time; whoever asks while it runs shares its outcome.
 * Once it has settled, the next caller starts a new one.
 */
export class SingleFlight<T> {
  #flight: Promise<T> | undefined;

  get busy(): boolean {
    return this.#flight !== undefined;
  }

  /** Resolves, and never rejects, once what runs now (if anything) has settled. */
  async ended(): Promise<void> {
    await this.#flight?.catch(() => undefined);
  }

  run(task: () => Promise<T>): Promise<T> {
    this.#flight ??= task().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }
}
