import { isServing, type InstanceState } from '../instance/instance-state.ts';
import type { Instance } from '../instance/instance.ts';

/** The instances of one service by their index, from 1; each is made when it is first asked for, and stays. */
export class Instances {
  readonly #known = new Map<number, Instance>();
  readonly #make: (index: number) => Instance;

  constructor(make: (index: number) => Instance) {
    this.#make = make;
  }

  get all(): readonly Instance[] {
    return [...this.#known.values()].sort((a, b) => a.key.index - b.key.index);
  }

  /** Those that answer requests. */
  get serving(): readonly Instance[] {
    return this.all.filter(({ state }) => isServing(state));
  }

  /** Whether all that serves was started by this process. */
  get startedHere(): boolean {
    return this.serving.every((instance) => instance.startedHere);
  }

  at(index: number): Instance {
    const known = this.#known.get(index);
    if (known) return known;
    const made = this.#make(index);
    this.#known.set(index, made);
    return made;
  }

  has(index: number): boolean {
    return this.#known.has(index);
  }

  /** Those that there are to be, when there are to be so many. */
  first(count: number): readonly Instance[] {
    return Array.from({ length: count }, (_, n) => this.at(n + 1));
  }

  /** Those that are too many then. */
  beyond(count: number): readonly Instance[] {
    return this.all.filter(({ key }) => key.index > count);
  }

  anyIn(kind: InstanceState['kind']): boolean {
    return this.all.some(({ state }) => state.kind === kind);
  }
}
