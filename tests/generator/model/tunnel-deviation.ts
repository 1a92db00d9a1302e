import type { TunnelSaw } from '../clients/tunnel-client.ts';
import type { TunnelEnd, TunnelPlan } from '../plan/tunnel-plan.ts';
import type { CaseRecord, PeerSaw } from '../upstreams/case-book.ts';
import { fieldFault } from './field-fault.ts';

type Refusal = NonNullable<TunnelPlan['refusal']>;

/** The handshake is passed on and answered; then either end hears all of the other, and of its end. */
export function tunnelDeviation(plan: TunnelPlan, { answer, other }: TunnelSaw, record: CaseRecord) {
  const [request, ...more] = record.requests;
  if (request === undefined || more.length > 0) return `${record.requests.length} handshakes upstream`;
  const fault = fieldFault([...plan.fields, ['Upgrade', 'websocket']], [], request.fields);
  if (fault !== undefined) return `handshake: ${fault}`;
  if (plan.refusal !== undefined) return refusalFault(plan, plan.refusal, answer, record.saw);
  // A reset right behind the 101 may take it away.
  if (answer.status === 502 && plan.upstream.then === 'resets') return undefined;
  return switchFault(plan, answer) ?? endsFault(plan, other, record.saw);
}

function refusalFault({ answerFields, hint }: TunnelPlan, refusal: Refusal, answer: TunnelSaw['answer'], saw: PeerSaw) {
  if (answer.status !== refusal.status) return `status ${String(answer.status)} in place of ${refusal.status}`;
  if (!answer.complete || answer.content !== refusal.content) return 'not all of the refusal';
  if (saw.content !== '') return 'bytes of a protocol that was refused went upstream';
  if (answer.interim.join() !== (hint ? '103' : '')) return `interim ${answer.interim.join()}`;
  return fieldFault(answerFields, [], answer.fields);
}

function switchFault({ answerFields, hint }: TunnelPlan, answer: TunnelSaw['answer']): string | undefined {
  if (answer.status !== 101) return `status ${String(answer.status)} in place of 101 ${answer.content.slice(0, 300)}`;
  if (answer.interim.join() !== (hint ? '103' : '')) return `interim ${answer.interim.join()}`;
  const accept = [['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='] as const];
  return fieldFault([...answerFields, ...accept, ['Upgrade', 'websocket']], [], answer.fields);
}

function endsFault({ client, upstream }: TunnelPlan, clientSaw: PeerSaw, upstreamSaw: PeerSaw): string | undefined {
  const whole = client.then !== 'resets' && upstream.then !== 'resets';
  return endFault('the client', clientSaw, upstream, whole) ?? endFault('the upstream', upstreamSaw, client, whole);
}

function endFault(who: string, saw: PeerSaw, other: TunnelEnd, whole: boolean): string | undefined {
  const sent = other.writes.map(({ content }) => content).join('');
  if (!sent.startsWith(saw.content)) return `${who} had other bytes`;
  if (!saw.gone) return `${who} never hears of the end`;
  if (!whole) return undefined;
  if (saw.content !== sent) return `${who} had not all bytes`;
  return saw.finished ? undefined : `${who} had no clean end`;
}
