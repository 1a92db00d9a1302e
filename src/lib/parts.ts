import { messageOf } from './coded-error.ts';
import type { Logger } from './logger.ts';

/** What was started, so that it can be ended in the reverse order, each part although another one failed. */
export class Parts {
  readonly #log: Logger;
  readonly #parts: { readonly name: string; readonly close: () => Promise<void> }[] = [];
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(name: string, close: () => Promise<void>): void {
    this.#parts.unshift({ name, close });
  }

  close(): Promise<void> {
    this.#closing ??= this.#endAll();
    return this.#closing;
  }

  async #endAll(): Promise<void> {
    for (const { name, close } of this.#parts.splice(0)) {
      try {
        await close();
      } catch (error) {
        this.#log.warn({ err: error, part: name }, `${name} did not end in order: ${messageOf(error)}`);
      }
    }
  }
}
