import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';

/** Reads records as a database keeps them; one that cannot be read is undefined, and a line in the log. */
export class RecordReader<Stored extends object, T> {
  readonly #kind: string;
  readonly #decode: (stored: Stored) => T;
  readonly #log: Logger;

  /** @param decode throws what is wrong with it */
  constructor(kind: string, decode: (stored: Stored) => T, log: Logger) {
    this.#kind = kind;
    this.#decode = decode;
    this.#log = log;
  }

  read(stored: Stored): T | undefined {
    try {
      return this.#decode(stored);
    } catch (error) {
      const { _id, id = _id } = stored as { readonly _id?: unknown; readonly id?: unknown };
      this.#log.warn(
        { [this.#kind]: String(id), reason: messageOf(error) },
        `a ${this.#kind} record cannot be read and is skipped; the next change of the ${this.#kind} replaces it`,
      );
      return undefined;
    }
  }

  readAll(all: readonly Stored[]): T[] {
    return all.flatMap((stored) => this.read(stored) ?? []);
  }
}
