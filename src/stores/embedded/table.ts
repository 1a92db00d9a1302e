import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';

export interface Row {
  readonly id: string;
  readonly record: string;
}

/** Reads rows of JSON; one that cannot be read is undefined, and a line in the log. */
export class RowReader<T> {
  readonly #kind: string;
  readonly #decode: (shape: unknown) => T;
  readonly #log: Logger;

  constructor(kind: string, decode: (shape: unknown) => T, log: Logger) {
    this.#kind = kind;
    this.#decode = decode;
    this.#log = log;
  }

  read({ id, record }: Row): T | undefined {
    try {
      return this.#decode(JSON.parse(record));
    } catch (error) {
      this.#log.warn(
        { [this.#kind]: id, reason: messageOf(error) },
        `a ${this.#kind} record cannot be read and is skipped; the next change of the ${this.#kind} replaces it`,
      );
      return undefined;
    }
  }

  readAll(rows: readonly unknown[]): T[] {
    return (rows as readonly Row[]).flatMap((row) => this.read(row) ?? []);
  }
}
