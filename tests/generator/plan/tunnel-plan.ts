import type { PlannedFields } from './exchange-plan.ts';
import { planPart } from './plan-content.ts';
import { planFields } from './plan-fields.ts';
import type { Random } from './random.ts';

/** What one end of a tunnel does once it is open. */
export interface TunnelEnd {
  /** Written one after the other, with so many turns of the loop before each. */
  readonly writes: readonly { readonly content: string; readonly turns: number }[];
  /** Then it says that this was all and reads on, waits for the other to say so, or cuts the connection. */
  readonly then: 'finishes' | 'waits' | 'resets';
}

/** A WebSocket: a handshake that the upstream accepts or refuses, then bytes both ways until both have ended. */
export interface TunnelPlan {
  readonly kind: 'tunnel';
  readonly index: number;
  readonly fields: PlannedFields;
  /** Of the 101, or of the refusal. */
  readonly answerFields: PlannedFields;
  readonly hint: boolean;
  readonly refusal: { readonly status: number; readonly content: string; readonly framing: Framing } | undefined;
  /** The client does not wait for the 101 before it sends. */
  readonly hasty: boolean;
  readonly client: TunnelEnd;
  readonly upstream: TunnelEnd;
  readonly pieces: number;
}

type Framing = 'length' | 'chunked' | 'close';

export function planTunnel(random: Random, index: number): TunnelPlan {
  const client = planEnd(random);
  const upstream = planEnd(random);
  const status = random.pick([200, 302, 401, 403, 426, 500] as const);
  const framing = random.pick(['length', 'chunked', 'close'] as const);
  const refusal = { status, framing, content: planPart(random, 0, random.chance(0.1) ? 60_000 : 400) };
  return {
    ...{ kind: 'tunnel', index, client },
    // Somebody has to begin to end.
    upstream: client.then === 'waits' && upstream.then === 'waits' ? { ...upstream, then: 'finishes' } : upstream,
    fields: planFields(random, 'http1'),
    answerFields: planFields(random, 'http1'),
    hint: random.chance(0.1),
    refusal: random.chance(0.25) ? refusal : undefined,
    hasty: random.chance(0.3),
    pieces: random.chance(0.6) ? 1 : random.integer(2, 5),
  };
}

function planEnd(random: Random): TunnelEnd {
  const most = random.chance(0.1) ? 100_000 : 2_000;
  const writes = random.list(0, 6, () => ({ content: planPart(random, 1, most), turns: random.integer(0, 6) }));
  return { writes, then: random.pick(['finishes', 'finishes', 'waits', 'waits', 'resets'] as const) };
}
