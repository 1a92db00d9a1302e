import { deferred, type Deferred } from '../../../src/lib/deferred.ts';
import type { Http1Message } from '../../conformance/rig/http1-reader.ts';
import type { Plan } from '../plan/plan-of.ts';

/** What one end of a call or of a tunnel has had from the other. */
export interface PeerSaw {
  content: string;
  /** The other end said that this was all. */
  finished: boolean;
  /** The connection or the stream is closed. */
  gone: boolean;
}

/** All that the upstreams know of a case: what they are to do, and what they saw. */
export interface CaseRecord<T extends Plan = Plan> {
  readonly plan: T;
  /** In the words of HTTP/1.1, whatever was spoken. */
  readonly requests: Http1Message[];
  /** Of calls and tunnels. */
  readonly saw: PeerSaw;
  /** Resolves when the upstream is done with a call or a tunnel. */
  readonly over: Deferred<void>;
}

const PATH = /^\/case-(\d+)(?:\?|$)/;

/** The cases under way, in which every upstream finds its part by the path of a request. */
export class CaseBook {
  readonly #records = new Map<number, CaseRecord>();
  /** Requests that belong to no case. */
  readonly strangers: string[] = [];

  open(plan: Plan): CaseRecord {
    const saw = { content: '', finished: false, gone: false };
    const record: CaseRecord = { plan, requests: [], saw, over: deferred() };
    this.#records.set(plan.index, record);
    return record;
  }

  /** Notes a request with its case. @returns undefined for one that nobody has planned */
  note(path: string, message: Http1Message): CaseRecord | undefined {
    const record = this.#records.get(Number(PATH.exec(path)?.[1] ?? -1));
    if (record === undefined) this.strangers.push(message.startLine);
    record?.requests.push(message);
    return record;
  }
}
