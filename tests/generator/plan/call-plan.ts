import type { PlannedFields } from './exchange-plan.ts';
import { planPart } from './plan-content.ts';
import { planTrailers } from './plan-fields.ts';
import type { Random } from './random.ts';

/** A call in the shape of gRPC: messages both ways on one HTTP/2 stream, its outcome in the trailers. */
export interface CallPlan {
  readonly kind: 'call';
  readonly index: number;
  readonly requests: readonly string[];
  readonly responses: readonly string[];
  /** In conversation: each message waits for the one before it of the other side, as far as there is one. */
  readonly conversing: boolean;
  /** `grpc-status`, and metadata beside it. */
  readonly trailers: PlannedFields;
  /** Nothing but a head that ends the stream, with the outcome in it ("Trailers-Only"). */
  readonly trailersOnly: boolean;
  /** The client cancels, or the upstream resets, once it has received so many messages. */
  readonly breaks: { readonly who: 'client' | 'upstream'; readonly after: number } | undefined;
}

export function planCall(random: Random, index: number): CallPlan {
  const trailersOnly = random.chance(0.15);
  const requests = random.list(0, 6, () => planMessage(random));
  const responses = trailersOnly ? [] : random.list(0, 6, () => planMessage(random));
  const who = random.next();
  return {
    ...{ kind: 'call', index, requests, responses, trailersOnly },
    conversing: random.chance(0.5),
    trailers: [['grpc-status', String(random.integer(0, 16))], ...planTrailers(random)],
    breaks: planBreak(random, who, who < 0.15 ? responses.length : requests.length),
  };
}

function planBreak(random: Random, who: number, messages: number): CallPlan['breaks'] {
  if (who >= 0.25) return undefined;
  return { who: who < 0.15 ? 'client' : 'upstream', after: random.integer(0, messages) };
}

/** One byte for "not compressed", four for the length, then the message. */
function planMessage(random: Random): string {
  const content = planPart(random, 0, random.chance(0.1) ? 40_000 : 300);
  const length = content.length;
  return `\0${String.fromCharCode(0, (length >> 16) & 255, (length >> 8) & 255, length & 255)}${content}`;
}
