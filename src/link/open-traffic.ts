import { randomUUID } from 'node:crypto';
import { deferred, type Deferred } from '../lib/deferred.ts';
import type { TrafficReport } from '../seam/traffic-report.ts';

/** A report on its way: the same `source` and `id` however often it is sent, so that it is counted once. */
export interface SentTraffic {
  readonly source: string;
  readonly id: number;
  readonly report: TrafficReport;
}

/** The reports of traffic that no control process has said to have counted. They outlive it: the next one is told. */
export class OpenTraffic {
  readonly #source = randomUUID();
  readonly #send: (traffic: SentTraffic) => void;
  readonly #open = new Map<number, { readonly report: TrafficReport; readonly counted: Deferred<undefined> }>();
  #lastId = 0;

  constructor(send: (traffic: SentTraffic) => void) {
    this.#send = send;
  }

  /** Resolves once it is counted. */
  add(report: TrafficReport): Promise<undefined> {
    this.#lastId += 1;
    const counted = deferred<undefined>();
    this.#open.set(this.#lastId, { report, counted });
    this.#send({ source: this.#source, id: this.#lastId, report });
    return counted.promise;
  }

  /** Somebody is there, who may have heard nothing of them. */
  back(): void {
    for (const [id, { report }] of this.#open) this.#send({ source: this.#source, id, report });
  }

  counted(id: number): void {
    this.#open.get(id)?.counted.resolve(undefined);
    this.#open.delete(id);
  }
}
