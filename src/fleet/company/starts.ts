import { instanceId, type InstanceKey } from '../runtime.ts';
import type { ProcessRecord } from '../state-store.ts';

export interface StartsTools {
  /** Another word is to be said to the others. */
  readonly tell: () => void;
  /** Whether this process tells what others would have told. */
  readonly leads: () => boolean;
  /** The process that was starting it has ended in the middle. */
  readonly onOrphan: (key: InstanceKey) => void;
}

/** What every process is starting: should one end in the middle, the one that leads tells what becomes of it. */
export class Starts {
  readonly #tools: StartsTools;
  readonly #own = new Set<InstanceKey>();
  readonly #foreign = new Map<string, readonly InstanceKey[]>();
  readonly #orphans = new Map<string, InstanceKey>();

  constructor(tools: StartsTools) {
    this.#tools = tools;
  }

  get own(): readonly InstanceKey[] {
    return [...this.#own];
  }

  /** A start begins here. Returns what to call when it is over. */
  begin({ service, index }: InstanceKey): () => void {
    const key = { service, index };
    this.#own.add(key);
    this.#tools.tell();
    return () => {
      this.#own.delete(key);
      this.#tools.tell();
    };
  }

  heard({ _id: process, starting = [] }: ProcessRecord): void {
    this.#foreign.set(process, starting);
  }

  gone(process: string): void {
    for (const key of this.#foreign.get(process) ?? []) this.#orphans.set(instanceId(key), key);
    this.#foreign.delete(process);
    this.tellOfOrphans();
  }

  /** Nobody may have led when the process ended. */
  tellOfOrphans(): void {
    if (!this.#tools.leads()) return;
    const orphans = [...this.#orphans.values()];
    this.#orphans.clear();
    for (const key of orphans) this.#tools.onOrphan(key);
  }
}
