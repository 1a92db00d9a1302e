import type { BreakerReport, PeerNews, VerdictReport, WaitingReport } from '../seam/control-link.ts';

type Listener = (news: PeerNews) => void;

/**
 * What the data halves have to know of each other, so that a limit holds for all of them together: breakers count
 * failures, and waiting rooms those who wait, wherever a client happened to connect.
 */
export class Peers {
  readonly #listeners = new Map<string, Listener>();
  /** How many wait for a service, by data half. */
  readonly #waiting = new Map<string, Map<string, number>>();
  /** The data halves whose breaker of an instance is open. */
  readonly #open = new Map<string, { readonly report: BreakerReport; readonly holders: Set<string> }>();
  readonly #onBreaker: (report: BreakerReport) => void;

  /** @param onBreaker hears of a breaker once, however many data halves have it */
  constructor(onBreaker: (report: BreakerReport) => void) {
    this.#onBreaker = onBreaker;
  }

  /** The first news tell who waits already. Returns the way out. */
  listen(dataHalf: string, listener: Listener): () => void {
    this.#listeners.set(dataHalf, listener);
    for (const service of this.#waiting.keys()) listener(this.#waitingBeside(dataHalf, service));
    return () => this.#listeners.delete(dataHalf);
  }

  verdict(dataHalf: string, report: VerdictReport): void {
    this.#tellOthers(dataHalf, () => ({ kind: 'verdict', ...report }));
  }

  waiting(dataHalf: string, { service, waiting }: WaitingReport): void {
    const counts = this.#waiting.get(service) ?? new Map<string, number>();
    if (waiting > 0) counts.set(dataHalf, waiting);
    else counts.delete(dataHalf);
    this.#waiting.set(service, counts);
    this.#tellOthers(dataHalf, (other) => this.#waitingBeside(other, service));
    if (counts.size === 0) this.#waiting.delete(service);
  }

  breaker(dataHalf: string, report: BreakerReport): void {
    const { holders } = this.#open.get(report.instanceId) ?? { holders: new Set() };
    const before = holders.size;
    if (report.open) holders.add(dataHalf);
    else holders.delete(dataHalf);
    if (holders.size > 0) this.#open.set(report.instanceId, { report, holders });
    else this.#open.delete(report.instanceId);
    if ((before === 0) !== (holders.size === 0)) this.#onBreaker(report);
  }

  /** How many wait for a service, in all data halves together. */
  waitingFor(service: string): number {
    let waiting = 0;
    for (const count of this.#waiting.get(service)?.values() ?? []) waiting += count;
    return waiting;
  }

  /** Whether any data half has the breaker of an instance open. */
  isOpen(instanceId: string): boolean {
    return this.#open.has(instanceId);
  }

  leave(dataHalf: string): void {
    this.#listeners.delete(dataHalf);
    for (const [service, counts] of [...this.#waiting]) {
      if (counts.has(dataHalf)) this.waiting(dataHalf, { service, waiting: 0 });
    }
    for (const { report, holders } of [...this.#open.values()]) {
      if (holders.has(dataHalf)) this.breaker(dataHalf, { ...report, open: false });
    }
  }

  #waitingBeside(dataHalf: string, service: string): PeerNews {
    let waiting = 0;
    for (const [other, count] of this.#waiting.get(service) ?? []) if (other !== dataHalf) waiting += count;
    return { kind: 'waiting', service, waiting };
  }

  #tellOthers(dataHalf: string, news: (other: string) => PeerNews): void {
    for (const [other, listener] of this.#listeners) if (other !== dataHalf) listener(news(other));
  }
}
