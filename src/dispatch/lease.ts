import type { Endpoint } from '../seam/fleet-view.ts';
import type { Upstream } from './upstream.ts';

/** How an exchange with an instance went, as far as it tells about the instance. */
export type LeaseOutcome = 'served' | 'failed' | 'abandoned';

/** The right to send one request to one instance. It counts as in flight until it is released; release exactly once. */
export class Lease {
  readonly upstream: Upstream;
  readonly endpoint: Endpoint;
  readonly #onRelease: (upstream: Upstream) => void;
  #released = false;

  constructor(upstream: Upstream, endpoint: Endpoint, onRelease: (upstream: Upstream) => void) {
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.#onRelease = onRelease;
  }

  get instanceId(): string {
    return this.upstream.id;
  }

  /** The head of the response is there. */
  answered(): void {
    if (!this.#released) this.upstream.breaker.answered();
  }

  release(outcome: LeaseOutcome): void {
    if (this.#released) return;
    this.#released = true;
    const { breaker } = this.upstream;
    if (outcome === 'served') breaker.succeed();
    else if (outcome === 'failed') breaker.fail();
    else breaker.forget();
    this.upstream.inFlight -= 1;
    this.#onRelease(this.upstream);
  }
}
