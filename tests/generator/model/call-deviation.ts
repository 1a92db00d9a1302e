import type { ClientSaw } from '../clients/client-saw.ts';
import type { CallPlan } from '../plan/call-plan.ts';
import type { CaseRecord } from '../upstreams/case-book.ts';
import { trailerFault } from './field-fault.ts';

/** All messages arrive both ways with the outcome behind them; who breaks off is noticed by the other. */
export function callDeviation(plan: CallPlan, saw: ClientSaw, { requests, saw: upstream }: CaseRecord) {
  if (requests.length !== 1 && !saw.left) return `${requests.length} requests upstream`;
  const sent = plan.requests.join('');
  if (!sent.startsWith(upstream.content)) return 'other messages upstream';
  if (upstream.finished && upstream.content !== sent) return 'a part of the messages looks like all upstream';
  if (requests.length > 0 && !upstream.gone) return 'the upstream never hears of the end';
  if (saw.left) return upstream.finished ? 'a cancelled call looks finished upstream' : undefined;
  return plan.breaks?.who === 'upstream' ? brokenFault(plan, saw) : wholeFault(plan, saw, upstream.finished);
}

function wholeFault(plan: CallPlan, saw: ClientSaw, finished: boolean): string | undefined {
  if (saw.status !== 200) return `status ${String(saw.status)} ${saw.content.slice(0, 300)}`;
  if (!saw.complete) return 'the call was cut';
  if (saw.content !== plan.responses.join('')) return 'other messages for the client';
  if (!finished) return 'the upstream did not hear all';
  // gRPC clients tell a head that ends the stream from one that is followed by nothing.
  if (saw.endedWithHead !== plan.trailersOnly) return 'a head that ends the stream, or does not, in place of the other';
  const fault = plan.trailersOnly ? headFault(plan, saw) : trailerFault(plan.trailers, saw.trailers);
  return fault === undefined ? undefined : `other trailers for the client: ${fault}`;
}

function headFault({ trailers }: CallPlan, { fields }: ClientSaw): string | undefined {
  const names = new Set(trailers.map(([name]) => name));
  return trailerFault(
    trailers,
    fields.filter(([name]) => names.has(name)),
  );
}

function brokenFault(plan: CallPlan, saw: ClientSaw): string | undefined {
  // A reset takes what lies in buffers with it, the head as well.
  if (saw.status === 502) return saw.complete ? undefined : 'a 502 that was cut';
  if (saw.complete) return 'a clean end of a broken call';
  return plan.responses.join('').startsWith(saw.content) ? undefined : 'other messages for the client';
}
