export interface AwaitsTurns {
  /** Everything that had reached this machine when the wait began has been read. */
  onTurned(): void;
}

/**
 * Lets the event loop look at every socket before an idle connection is used again.
 *
 * A request may be handled while the kernel already holds bytes (or the end) of an idle upstream connection that the
 * loop has not come to: written there, the request would get the answer that was lying about (CVE-2026-48931). The
 * first turn ends the round of the loop in which the request came, the second follows a whole poll of all sockets that
 * began after it, so that whatever had arrived by then has been seen, however long the loop had been busy before.
 */
export class LoopTurns {
  #waiting: AwaitsTurns[] = [];
  #turnedOnce: AwaitsTurns[] = [];
  #scheduled = false;
  readonly #turn = (): void => {
    const ready = this.#turnedOnce;
    this.#turnedOnce = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    if (this.#turnedOnce.length > 0) this.#schedule();
    for (const waiter of ready) waiter.onTurned();
  };

  wait(waiter: AwaitsTurns): void {
    this.#waiting.push(waiter);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }
}
