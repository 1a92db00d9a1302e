import type { BytePeer } from '../../support/wire/byte-peer.ts';
import { drained } from '../drained.ts';
import { HANG_MS } from '../patience.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { readAs } from '../slow-reader.ts';
import { turns } from '../turns.ts';
import { requestBytes, split } from '../wire.ts';
import type { AnswerReader } from './answer-reader.ts';
import { noteMessages, nothingSeen, type ClientSaw } from './client-saw.ts';

/** A client that leaves while it receives does so within so many bytes. */
export const LEAVES_WITHIN_BYTES = 2_000;

/** Sends one request over HTTP/1 and reads its answer, unless the client leaves before. */
export async function exchangeAlone(
  plan: ExchangePlan,
  peer: BytePeer,
  answers: AnswerReader,
): Promise<{ seen: ClientSaw[]; sentAll: boolean }> {
  const saw = nothingSeen();
  const stopReading = readAs(plan.client.reading, peer.socket);
  const sentAll = await send(plan, peer, answers, saw);
  if (!saw.left) await receive(plan, answers, saw);
  stopReading();
  noteMessages(saw, answers.messages, answers.fault);
  return { seen: [saw], sentAll };
}

/** @returns whether all of the request went out */
async function send(plan: ExchangePlan, peer: BytePeer, answers: AnswerReader, saw: ClientSaw): Promise<boolean> {
  const { request, client, pieces, index } = plan;
  const { head, content } = requestBytes(plan);
  const leaves = client.leaves?.during === 'request';
  const sent = leaves ? beginning(head + content, client.leaves.at) : head + content;
  const waits = request.expectsContinue && index % 3 === 0 && sent.length > head.length;
  const texts = waits ? [head, ...split(sent.slice(head.length), pieces, index)] : split(sent, pieces, index);
  for (const [at, text] of texts.entries()) {
    if (peer.gone || answers.complete) return false;
    if (text !== '' && !peer.socket.write(text, 'latin1')) await drained(peer.socket);
    if (waits && at === 0) await peer.changes.until(() => peer.gone || mayGoOn(answers), HANG_MS);
    else if (pieces > 1) await turns(1);
  }
  saw.left = leaves;
  return !leaves;
}

async function receive({ client }: ExchangePlan, answers: AnswerReader, saw: ClientSaw): Promise<void> {
  const leavesAt = client.leaves === undefined ? Infinity : Math.floor(client.leaves.at * LEAVES_WITHIN_BYTES);
  const leaves = (): boolean => answers.bytes >= leavesAt;
  saw.hangs = !(await answers.untilOver(leaves));
  saw.left = leaves() && !answers.complete;
}

function beginning(whole: string, fraction: number): string {
  return whole.slice(0, Math.floor(fraction * whole.length));
}

/** The upstream wants the content, or has given its answer. */
function mayGoOn({ messages }: AnswerReader): boolean {
  return messages.some(({ startLine }) => /^HTTP\/1\.1 (?!1)/.test(startLine) || startLine.startsWith('HTTP/1.1 100'));
}
