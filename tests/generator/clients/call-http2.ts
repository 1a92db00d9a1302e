import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { Changes } from '../../support/wire/changes.ts';
import { hosts } from '../hosts.ts';
import { lengthUpTo } from '../message-lengths.ts';
import { HANG_MS } from '../patience.ts';
import type { CallPlan } from '../plan/call-plan.ts';
import { turns } from '../turns.ts';
import { nothingSeen, type ClientSaw } from './client-saw.ts';
import { leave, watchStream } from './watch-stream.ts';

/** The part of the client in a call. */
export async function callHttp2(session: ClientHttp2Session, plan: CallPlan): Promise<ClientSaw> {
  const saw = nothingSeen();
  const changes = new Changes();
  const stream = session.request({
    ...{ ':method': 'POST', ':path': `/case-${plan.index}`, ':authority': hosts['2'] },
    ...{ 'content-type': 'application/grpc', te: 'trailers' },
  });
  const closed = watchStream(stream, saw, () => changes.notify());
  await converse(stream, plan, (messages) => {
    const bytes = lengthUpTo(plan.responses, messages);
    // Without a head there is nobody to wait for: an upstream may have none before it has read all.
    return changes.until(() => stream.closed || (saw.status !== undefined && saw.content.length >= bytes), HANG_MS);
  });
  const { breaks } = plan;
  if (breaks?.who === 'client') {
    await changes.until(() => stream.closed || saw.content.length >= lengthUpTo(plan.responses, breaks.after), HANG_MS);
    if (!saw.complete) leave(stream, saw);
  } else if (!stream.closed) stream.end();
  await closed;
  return saw;
}

/** @param heard waits for so many messages of the upstream */
async function converse(stream: ClientHttp2Stream, plan: CallPlan, heard: (messages: number) => Promise<boolean>) {
  for (const [at, message] of plan.requests.entries()) {
    if (plan.conversing && !plan.trailersOnly && at > 0) await heard(at);
    if (stream.closed || stream.destroyed) return;
    stream.write(Buffer.from(message, 'latin1'));
    await turns(1);
  }
}
