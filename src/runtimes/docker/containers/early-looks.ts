import type { ContainerInspectInfo } from 'dockerode';
import type { Clock } from '../../../lib/clock.ts';
import type { NetworkView } from './network.ts';

/** What has to be known before a container is made, or found good. */
export interface Look {
  /** Undefined where it has to be made: a look makes nothing, for nobody may come to use it. */
  readonly network: NetworkView | undefined;
  /** What has its name. */
  readonly existing: ContainerInspectInfo | undefined;
}

/** What was seen longer ago is looked at again: somebody else may have been there. */
const MAX_AGE_MS = 100;

/** Looks that begin while the image is still asked for: each is a question to the engine, and somebody waits for the answers. */
export class EarlyLooks {
  readonly #look: (name: string) => Promise<Look>;
  readonly #clock: Clock;
  readonly #begun = new Map<string, { readonly atMs: number; readonly look: Promise<Look> }>();

  constructor(look: (name: string) => Promise<Look>, clock: Clock) {
    this.#look = look;
    this.#clock = clock;
  }

  /** @param name of the container that will be wanted */
  begin(name: string): void {
    const look = this.#look(name);
    // Told to whoever takes it, if anybody does.
    look.catch(() => undefined);
    this.#begun.set(name, { atMs: this.#clock.now(), look });
  }

  /** The look that was begun just now, else a new one. */
  take(name: string): Promise<Look> {
    const begun = this.#begun.get(name);
    this.#begun.delete(name);
    return begun && this.#clock.now() - begun.atMs <= MAX_AGE_MS ? begun.look : this.#look(name);
  }
}
