import { planCall, type CallPlan } from './call-plan.ts';
import type { ExchangePlan } from './exchange-plan.ts';
import { planExchange } from './plan-exchange.ts';
import { Random } from './random.ts';
import { planTunnel, type TunnelPlan } from './tunnel-plan.ts';

export type Plan = ExchangePlan | CallPlan | TunnelPlan;

/** The plan of a case follows from the seed and its number alone. */
export function planOf(seed: number, index: number): Plan {
  const random = new Random(Math.imul(seed ^ 0x9e3779b9, 2_654_435_761) ^ Math.imul(index + 1, 40_503));
  for (let round = 0; round < 4; round += 1) random.next();
  const kind = random.next();
  if (kind < 0.08) return planTunnel(random, index);
  return kind < 0.16 ? planCall(random, index) : planExchange(random, index);
}
