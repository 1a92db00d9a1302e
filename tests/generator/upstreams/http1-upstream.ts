import { CaseUpstream, type UpstreamRequest } from '../../conformance/rig/case-upstream.ts';
import { valuesOf } from '../../conformance/rig/http1-reader.ts';
import { drained } from '../drained.ts';
import { HANG_MS } from '../patience.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { readAs } from '../slow-reader.ts';
import { turns } from '../turns.ts';
import { bytesBeforeBreak, responseBytes, split } from '../wire.ts';
import type { CaseBook } from './case-book.ts';

/** Answers exchanges as they are planned, over HTTP/1. */
export class Http1Upstream {
  readonly server: CaseUpstream;
  readonly #book: CaseBook;

  constructor(book: CaseBook) {
    this.#book = book;
    this.server = new CaseUpstream((request) => this.#serve(request));
  }

  async #serve(request: UpstreamRequest): Promise<void> {
    const plan = this.#book.note(request.path, request.message)?.plan;
    if (plan?.kind !== 'exchange') return;
    const stopReading = readAs(plan.upstream.reading, request.peer.socket);
    await answer(request, plan);
    stopReading();
  }
}

async function answer({ peer, message }: UpstreamRequest, plan: ExchangePlan): Promise<void> {
  const { response, upstream, pieces, index } = plan;
  if (valuesOf(message, 'expect').length > 0 && index % 2 === 0) peer.send('HTTP/1.1 100 Continue\r\n\r\n');
  if (response.answersAt === 'end') await peer.changes.until(() => message.complete || peer.gone, HANG_MS);
  const { interim, head, content } = responseBytes(plan);
  for (const piece of split((interim + head + content).slice(0, bytesBeforeBreak(plan)), pieces, index)) {
    if (peer.gone) return;
    if (piece !== '' && !peer.socket.write(piece, 'latin1')) await drained(peer.socket);
    if (pieces > 1) await turns(1);
  }
  if (upstream.breaks?.how === 'reset') peer.socket.resetAndDestroy();
  else if (upstream.breaks !== undefined || response.framing === 'close' || upstream.http === '1.0') peer.socket.end();
}
