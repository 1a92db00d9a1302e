import type { Endpoint, UpstreamView } from '../seam/fleet-view.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';

/** What the data half keeps of one instance: where it is, how busy we keep it, whether it may be picked. */
export class Upstream {
  readonly service: string;
  readonly id: string;
  readonly breaker: CircuitBreaker;
  endpoints: UpstreamView['endpoints'];
  #inFlight = 0;
  /** The most that were in flight since it was last told how many are. */
  peak = 0;
  /** The control half is to be told how many are in flight. */
  toBeTold = false;

  constructor(service: string, view: UpstreamView, breaker: CircuitBreaker) {
    this.service = service;
    this.id = view.id;
    this.endpoints = view.endpoints;
    this.breaker = breaker;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  set inFlight(count: number) {
    this.#inFlight = count;
    if (count > this.peak) this.peak = count;
  }

  endpoint(port: number): Endpoint | undefined {
    return this.endpoints[port];
  }
}
