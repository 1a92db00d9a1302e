import type { StoreChange } from '../fleet/state-store.ts';

/** Who watches a store. */
export class ChangeListeners {
  readonly #listeners = new Set<(change: StoreChange) => void>();

  add(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(change: StoreChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
