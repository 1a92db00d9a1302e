import type { BytePeer } from '../../support/wire/byte-peer.ts';
import { drained } from '../drained.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { requestBytes, split } from '../wire.ts';
import type { AnswerReader } from './answer-reader.ts';
import { noteMessages, nothingSeen, type ClientSaw } from './client-saw.ts';

/** Sends all requests before it reads; the answers have to come in the same order (RFC 9112 9.3.2). */
export async function exchangePipelined(
  plans: readonly [ExchangePlan, ...ExchangePlan[]],
  peer: BytePeer,
  answers: AnswerReader,
): Promise<{ seen: ClientSaw[]; sentAll: boolean }> {
  const whole = plans.map((plan) => requestBytes(plan)).map(({ head, content }) => head + content);
  for (const piece of split(whole.join(''), plans[0].pieces, plans[0].index)) {
    if (!peer.gone && !peer.socket.write(piece, 'latin1')) await drained(peer.socket);
  }
  const ended = await answers.untilOver();
  const groups = answers.groups();
  const seen = plans.map((_plan, at) => {
    const saw = nothingSeen();
    saw.hangs = !ended;
    noteMessages(saw, groups[at] ?? [], answers.fault);
    return saw;
  });
  const last = seen.at(-1);
  if (last !== undefined && (groups[plans.length]?.length ?? 0) > 0) last.fault = 'more than one answer';
  return { seen, sentAll: true };
}
