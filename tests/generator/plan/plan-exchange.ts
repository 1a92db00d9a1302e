import type { Break, ExchangePlan, PlannedRequest, PlannedResponse, Reading } from './exchange-plan.ts';
import { planRequest } from './plan-request.ts';
import { planResponse } from './plan-response.ts';
import type { Random } from './random.ts';

/** A client that sends a request, an upstream that answers it; at most one of the two breaks off. */
export function planExchange(random: Random, index: number): ExchangePlan {
  const http = random.chance(0.4) ? '2' : random.chance(0.12) ? '1.0' : '1.1';
  const upstreamHttp = random.chance(0.25) ? '2' : random.chance(0.12) ? '1.0' : '1.1';
  const way = http === '2' || upstreamHttp === '2' ? 'mixed' : 'http1';
  const request = planRequest(random, index, http, way);
  const response = planResponse(random, request, upstreamHttp, way);
  const who = random.next();
  const breaks = planBreak(random);
  const leaves = who > 0.85 ? { ...breaks, during: random.pick(['request', 'response'] as const) } : undefined;
  const upstream = {
    http: upstreamHttp,
    reading: planReading(random),
    breaks: who < 0.15 ? breaks : undefined,
  } as const;
  const goesOn = leaves === undefined && upstream.breaks === undefined;
  const pipelined = goesOn && http === '1.1' && mayBePipelined(request, response) && random.chance(0.4);
  const window = random.chance(0.2) ? 'narrow' : 'wide';
  return {
    ...{ kind: 'exchange', index, request, response, upstream },
    client: { http, pipelined, window, reading: planReading(random), leaves },
    pieces: random.chance(0.4) ? 1 : random.integer(2, 8),
  };
}

/** What makes a client wait for an answer, or a proxy close the connection behind it. */
function mayBePipelined(request: PlannedRequest, response: PlannedResponse): boolean {
  return !request.expectsContinue && response.answersAt === 'end';
}

function planBreak(random: Random): Break {
  return { at: random.chance(0.15) ? 0 : random.next(), how: random.pick(['end', 'reset'] as const) };
}

function planReading(random: Random): Reading {
  return random.chance(0.15) ? 'slowly' : 'at once';
}
