/**
 * Runs at most one `task` at a time; whoever asks while it runs shares its outcome.
 * Once it has settled, the next caller starts a new one.
 */
export class SingleFlight<T> {
  #flight: Promise<T> | undefined;

  get busy(): boolean {
    return this.#flight !== undefined;
  }

  run(task: () => Promise<T>): Promise<T> {
    this.#flight ??= task().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }
}
