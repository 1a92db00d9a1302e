import type { ExchangePlan, PlannedFields, PlannedRequest, PlannedResponse } from './exchange-plan.ts';
import { planParts } from './plan-content.ts';
import { planFields, planHopFields, planTrailers, type Way } from './plan-fields.ts';
import { planSpelling } from './plan-request.ts';
import type { Random } from './random.ts';

const STATUSES = [200, 200, 200, 201, 204, 205, 206, 299, 301, 304, 400, 401, 404, 413, 500, 599] as const;
const BODYLESS_STATUSES = new Set([204, 205, 304]);
const INTERIM = [102, 103, 103, 110] as const;
const FRAMINGS = {
  '1.0': ['length', 'close'],
  '1.1': ['length', 'length', 'chunked', 'chunked', 'close'],
  '2': ['length', 'chunked'],
} as const;
const KNOWN: PlannedFields = [
  ['Content-Type', 'application/octet-stream'],
  ['Cache-Control', 'private, max-age=0'],
  ['ETag', '"planned"'],
  ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ['Server', 'planned/1.0'],
  ['Set-Cookie', 'a=1; Path=/; HttpOnly'],
  ['Set-Cookie', 'b=2; Expires=Sun, 06 Nov 1994 08:49:37 GMT'],
  ['Vary', 'Accept'],
];

/** @param http what the upstream speaks */
export function planResponse(
  random: Random,
  request: PlannedRequest,
  http: ExchangePlan['upstream']['http'],
  way: Way,
): PlannedResponse {
  const status = random.pick(STATUSES);
  const framing = BODYLESS_STATUSES.has(status) ? 'none' : random.pick(FRAMINGS[http]);
  const parts = framing === 'none' ? [] : planParts(random, framing);
  return {
    ...{ status, framing, parts },
    answersAt: request.framing !== 'none' && random.chance(0.2) ? 'head' : 'end',
    interim: http !== '1.0' && random.chance(0.2) ? random.list(1, 3, () => random.pick(INTERIM)) : [],
    fields: [...KNOWN.filter(() => random.chance(0.1)), ...planFields(random, way)],
    hopFields: http === '2' ? [] : planHopFields(random),
    trailers: framing === 'chunked' && random.chance(0.4) ? planTrailers(random) : [],
    spelling: planSpelling(random),
  };
}
