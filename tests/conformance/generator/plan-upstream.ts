import { CaseUpstream, type UpstreamRequest } from '../rig/case-upstream.ts';
import { valuesOf } from '../rig/http1-reader.ts';
import type { ExchangePlan } from './exchange-plan.ts';
import { responseBytes, split } from './wire.ts';

/** How long anybody waits for anything, in milliseconds. */
export const HANG_MS = 20_000;

/** An upstream that answers every case as it is planned, and keeps what it saw of each. */
export class PlanUpstream {
  readonly upstream: CaseUpstream;
  readonly #plans = new Map<number, ExchangePlan>();
  readonly #seen = new Map<number, UpstreamRequest[]>();
  /** Requests that belong to no case. */
  readonly strangers: string[] = [];

  constructor() {
    this.upstream = new CaseUpstream((request) => this.#serve(request));
  }

  expect(plan: ExchangePlan): void {
    this.#plans.set(plan.index, plan);
    this.#seen.set(plan.index, []);
  }

  /** What came of a case; nothing is kept of it from now on. */
  take(index: number): readonly UpstreamRequest[] {
    const seen = this.#seen.get(index) ?? [];
    this.#seen.delete(index);
    return seen;
  }

  async #serve(request: UpstreamRequest): Promise<void> {
    const index = Number(/^\/case-(\d+)(?:\?|$)/.exec(request.path)?.[1] ?? -1);
    const plan = this.#plans.get(index);
    if (plan === undefined) {
      this.strangers.push(request.message.startLine);
      return;
    }
    this.#seen.get(index)?.push(request);
    await this.#answer(request, plan);
  }

  async #answer({ peer, message }: UpstreamRequest, plan: ExchangePlan): Promise<void> {
    const { interim, head, content } = responseBytes(plan);
    const { upstreamBreak: broken, response, pieces, index } = plan;
    if (valuesOf(message, 'expect').length > 0 && index % 2 === 0) peer.send('HTTP/1.1 100 Continue\r\n\r\n');
    if (response.answersAt === 'end') await peer.changes.until(() => message.complete || peer.gone, HANG_MS);
    const whole = interim + head + content;
    const sent = broken === undefined ? whole : whole.slice(0, Math.floor(broken.at * whole.length));
    for (const piece of split(sent, pieces, index)) {
      if (peer.gone) return;
      if (piece !== '' && !peer.socket.write(piece, 'latin1')) await drained(peer);
      if (pieces > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (broken?.how === 'reset') peer.socket.resetAndDestroy();
    else if (broken !== undefined || response.framing === 'close') peer.socket.end();
  }
}

function drained({ socket }: UpstreamRequest['peer']): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.once('drain', resolve);
    socket.once('close', () => resolve());
  });
}
