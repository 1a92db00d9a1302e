import type { ClientExchange } from '../exchange/client-exchange.ts';

/**
 * Holds requests over HTTP/2 until all that has been received has been read. A stream that is opened and reset in one
 * breath (CVE-2023-44487) then costs no connection to an upstream: it is gone before anybody asks for it.
 */
export class Http2Arrivals {
  readonly #onExchange: (exchange: ClientExchange) => void;
  readonly #handOn = (): void => this.#flush();
  #arrived: ClientExchange[] = [];

  constructor(onExchange: (exchange: ClientExchange) => void) {
    this.#onExchange = onExchange;
  }

  add(exchange: ClientExchange): void {
    if (this.#arrived.push(exchange) === 1) setImmediate(this.#handOn);
  }

  #flush(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const exchange of arrived) if (!exchange.abandoned) this.#onExchange(exchange);
  }
}
