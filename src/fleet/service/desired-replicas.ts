import type { ServiceSpec } from '../../config/service-spec.ts';

type Limits = ServiceSpec['scale'];

/** How many instances there are to be while the service is awake; never outside of what the manifest allows. */
export class DesiredReplicas {
  #limits: Limits;
  #value: number;
  /** An operator has said how many since the start. */
  #asked = false;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#value = this.least;
  }

  get value(): number {
    return this.#value;
  }

  get least(): number {
    return Math.max(1, this.#limits.min);
  }

  set(replicas: number): void {
    this.#value = Math.min(Math.max(replicas, this.least), this.#limits.max);
  }

  /** For an operator. */
  ask(replicas: number): void {
    this.#asked = true;
    this.set(replicas);
  }

  /** What is stored; what an operator asked for since the start counts more than what is `remembered` from before it. */
  follow(replicas: number, remembered: boolean): void {
    if (!remembered || !this.#asked) this.set(replicas);
  }

  /** The manifest was edited. */
  fit(limits: Limits): void {
    this.#limits = limits;
    this.set(this.#value);
  }
}
