import type { PlannedFields, PlannedRequest, Spelling } from './exchange-plan.ts';
import { planParts } from './plan-content.ts';
import { planFields, planHopFields, planQuery, planTrailers, type Way } from './plan-fields.ts';
import type { Random } from './random.ts';

const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'REPORT'] as const;
const USUALLY_WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH', 'REPORT']);
/** Each at most once: what they mean is between the two ends. */
const KNOWN: PlannedFields = [
  ['User-Agent', 'planned/1.0 (a test)'],
  ['Accept', 'application/json;q=0.9, */*'],
  ['Authorization', 'Basic cGxhbm5lZDpjYXNl'],
  ['If-None-Match', 'W/"planned"'],
  ['Range', 'bytes=0-99'],
];

/** @param http what the client speaks */
export function planRequest(random: Random, index: number, http: '1.0' | '1.1' | '2', way: Way): PlannedRequest {
  const isOld = http === '1.0';
  const method = random.pick(METHODS);
  const hasContent = random.chance(USUALLY_WITH_CONTENT.has(method) ? 0.8 : 0.12);
  const framing = !hasContent ? 'none' : isOld ? 'length' : random.pick(['length', 'chunked'] as const);
  const parts = framing === 'none' ? [] : planParts(random, framing);
  return {
    ...{ method, framing, parts },
    path: `/case-${index}${planQuery(random)}`,
    fields: [...KNOWN.filter(() => random.chance(0.1)), ...planCookies(random), ...planFields(random, way)],
    hopFields: http === '2' ? [] : planHopFields(random),
    trailers: framing === 'chunked' && random.chance(0.3) ? planTrailers(random) : [],
    expectsContinue: !isOld && framing !== 'none' && random.chance(0.1),
    takesTrailers: !isOld && random.chance(0.5),
    spelling: planSpelling(random),
  };
}

/** Over HTTP/2 each goes as a crumb of its own (RFC 9113 8.2.3). */
function planCookies(random: Random): PlannedFields {
  if (!random.chance(0.1)) return [];
  return random.list(1, 3, (at) => ['Cookie', `crumb${at}=${random.integer(0, 999)}`] as const);
}

export function planSpelling(random: Random): Spelling {
  return {
    absoluteTarget: random.chance(0.08),
    colon: random.pick([': ', ': ', ':', ':\t  '] as const),
    chunkSize: random.pick(['short', 'short', 'padded', 'extended'] as const),
  };
}
