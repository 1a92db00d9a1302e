/** Twice as many as there may be connections. One that is pushed out may be counted twice, if it comes back at all. */
const MAX_SOURCES = 4_000;

/** Which reports of traffic have been counted: one that is told again, because its answer was lost, is not counted again. */
export class CountedTraffic {
  /** The last id of each data half, the one that was heard last at the end. */
  readonly #last = new Map<string, number>();

  /** @returns whether it is to be counted; from now on it is not */
  isNew(source: string, id: number): boolean {
    const last = this.#last.get(source) ?? 0;
    this.#last.delete(source);
    this.#last.set(source, Math.max(last, id));
    const [oldest] = this.#last.keys();
    if (this.#last.size > MAX_SOURCES && oldest !== undefined) this.#last.delete(oldest);
    return id > last;
  }
}
