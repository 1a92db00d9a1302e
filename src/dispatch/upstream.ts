import type { Endpoint, UpstreamView } from '../seam/fleet-view.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';

/** What the data half keeps of one instance: where it is, how busy we keep it, whether it may be picked. */
export class Upstream {
  readonly id: string;
  readonly breaker: CircuitBreaker;
  endpoints: UpstreamView['endpoints'];
  inFlight = 0;

  constructor(view: UpstreamView, breaker: CircuitBreaker) {
    this.id = view.id;
    this.endpoints = view.endpoints;
    this.breaker = breaker;
  }

  endpoint(port: number): Endpoint | undefined {
    return this.endpoints[port];
  }
}
