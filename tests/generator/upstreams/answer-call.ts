import type { ServerHttp2Stream } from 'node:http2';
import { Changes } from '../../support/wire/changes.ts';
import { HANG_MS } from '../patience.ts';
import type { CallPlan } from '../plan/call-plan.ts';
import { toHeaders } from '../http2-fields.ts';
import { lengthUpTo } from '../message-lengths.ts';
import { turns } from '../turns.ts';
import type { CaseRecord, PeerSaw } from './case-book.ts';

const HEAD = { ':status': 200, 'content-type': 'application/grpc' } as const;

/** The part of the upstream in a call. */
export async function answerCall(stream: ServerHttp2Stream, plan: CallPlan, { saw, over }: CaseRecord): Promise<void> {
  const { responses, trailers, trailersOnly, conversing, breaks } = plan;
  const changes = watch(stream, saw, () => over.resolve());
  const until = (holds: () => boolean): Promise<boolean> => changes.until(() => saw.gone || holds(), HANG_MS);
  const resets = breaks?.who === 'upstream' ? breaks.after : undefined;
  if (trailersOnly && resets === undefined) {
    await until(() => saw.finished);
    if (!saw.gone) stream.respond({ ...HEAD, ...toHeaders(trailers) }, { endStream: true });
    return;
  }
  stream.on('wantTrailers', () => stream.sendTrailers(toHeaders(trailers)));
  stream.respond(HEAD, { waitForTrailers: true });
  for (const [at, message] of responses.entries()) {
    if (conversing) await until(() => saw.finished || saw.content.length >= lengthUpTo(plan.requests, at + 1));
    if (saw.gone) return;
    stream.write(Buffer.from(message, 'latin1'));
    await turns(1);
  }
  if (resets !== undefined) {
    await until(() => saw.finished || saw.content.length >= lengthUpTo(plan.requests, resets));
    // Not `close`: that first ends the content, as if all had been said.
    stream.destroy(new Error('The upstream breaks off.'));
    return;
  }
  await until(() => saw.finished);
  if (!saw.gone) stream.end();
}

function watch(stream: ServerHttp2Stream, saw: PeerSaw, onGone: () => void): Changes {
  const changes = new Changes();
  stream.on('data', (chunk: Buffer) => {
    saw.content += chunk.toString('latin1');
    changes.notify();
  });
  stream.once('end', () => {
    saw.finished = !stream.aborted;
    changes.notify();
  });
  stream.once('close', () => {
    saw.gone = true;
    changes.notify();
    onGone();
  });
  return changes;
}
