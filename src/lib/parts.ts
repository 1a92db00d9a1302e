import { messageOf } from './coded-error.ts';
import type { Logger } from './logger.ts';

export interface Part {
  start(): unknown;
  close(): unknown;
}

/** What is started in order, so that it can be ended in the reverse order, each part although another one failed. */
export class Parts {
  readonly #log: Logger;
  readonly #parts: { readonly name: string; readonly close: () => unknown }[] = [];
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Runs what starts the parts. @throws what it throws, once the parts that there are until then have been ended again */
  async startAll(begin: () => Promise<void>): Promise<void> {
    try {
      await begin();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Starts a part, and ends it even when it fails to start. */
  async start(name: string, part: Part): Promise<void> {
    this.add(name, () => part.close());
    await part.start();
  }

  /** Something that has been started, or that has to be ended even if it never is. */
  add(name: string, close: () => unknown): void {
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
