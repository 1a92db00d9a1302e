import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Shape } from '../record-codec.ts';

/** A record as MongoDB has it: instants are dates, for indexes that end documents need them so. */
export function toDocument(shape: Shape, instants: readonly string[]): Shape {
  return { ...shape, ...Object.fromEntries(instants.map((field) => [field, new Date(String(shape[field]))])) };
}

/** The same, backwards. */
function fromDocument(document: object): Shape {
  return Object.fromEntries(
    Object.entries(document).map(([field, value]) => [field, value instanceof Date ? value.toISOString() : value]),
  );
}

/** Reads documents; one that cannot be read is undefined, and a line in the log. */
export class DocumentReader<T> {
  readonly #kind: string;
  readonly #decode: (shape: unknown) => T;
  readonly #log: Logger;

  constructor(kind: string, decode: (shape: unknown) => T, log: Logger) {
    this.#kind = kind;
    this.#decode = decode;
    this.#log = log;
  }

  read(document: object): T | undefined {
    try {
      return this.#decode(fromDocument(document));
    } catch (error) {
      const id = String((document as { _id?: unknown })._id);
      this.#log.warn(
        { [this.#kind]: id, reason: messageOf(error) },
        `a ${this.#kind} record cannot be read and is skipped; the next change of the ${this.#kind} replaces it`,
      );
      return undefined;
    }
  }

  readAll(documents: readonly object[]): T[] {
    return documents.flatMap((document) => this.read(document) ?? []);
  }
}
